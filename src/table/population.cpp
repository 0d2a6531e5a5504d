#include "table/population.h"

#include <algorithm>
#include <cmath>

namespace gatewise {
namespace {

// (x^slope - 1) / slope and its limit log(x) at slope 0, of log(x).
double power_integral(double log_x, double slope) {
  return std::abs(slope) < 1e-12 ? log_x : std::expm1(slope * log_x) / slope;
}

double power_integral_inverse(double value, double slope) {
  return std::abs(slope) < 1e-12 ? value : std::log1p(slope * value) / slope;
}

}  // namespace

Population::Population(uint64_t seed, std::string_view path, int64_t count, int64_t factors, double skew)
    : count_(count),
      width_(factors),
      slope_(1 - skew),
      shuffle_(static_cast<uint64_t>(count), mix64(seed ^ mix64(fnv1a(path)))),
      factors_(static_cast<size_t>(count * factors)) {
  const RandomStream stream(seed, path);
  for (int64_t member = 0; member < count; ++member) {
    for (int64_t f = 0; f < factors; ++f)
      factors_[member * factors + f] =
          static_cast<float>(stream.normal(0, static_cast<uint64_t>(member), static_cast<uint32_t>(f)));
  }
  decorrelate();
}

double Population::share_below(int64_t members) const {
  const double whole = power_integral(std::log1p(static_cast<double>(count_)), slope_);
  return power_integral(std::log1p(static_cast<double>(members)), slope_) / whole;
}

int64_t Population::member(double uniform) const {
  const double whole = power_integral(std::log1p(static_cast<double>(count_)), slope_);
  const double x = std::exp(power_integral_inverse(uniform * whole, slope_));
  return std::clamp(static_cast<int64_t>(x) - 1, int64_t{0}, count_ - 1);
}

// Gram-Schmidt under the shares: every factor loses its mean and what the ones before it explain.
void Population::decorrelate() {
  std::vector<double> shares;
  for (int64_t member = 0; member < count_; ++member) shares.push_back(share(member));
  std::vector<std::vector<double>> done{std::vector<double>(static_cast<size_t>(count_), 1.0)};
  for (int64_t f = 0; f < width_; ++f) {
    std::vector<double> factor;
    for (int64_t member = 0; member < count_; ++member) factor.push_back(factors_[member * width_ + f]);
    for (int pass = 0; pass < 2; ++pass) {
      for (const std::vector<double>& before : done) {
        double overlap = 0;
        for (int64_t m = 0; m < count_; ++m) overlap += shares[m] * factor[m] * before[m];
        for (int64_t m = 0; m < count_; ++m) factor[m] -= overlap * before[m];
      }
    }
    double variance = 0;
    for (int64_t m = 0; m < count_; ++m) variance += shares[m] * factor[m] * factor[m];
    const double scale = variance > 1e-9 ? 1 / std::sqrt(variance) : 0;
    for (int64_t m = 0; m < count_; ++m) {
      factor[m] *= scale;
      factors_[m * width_ + f] = static_cast<float>(factor[m]);
    }
    done.push_back(std::move(factor));
  }
}

}  // namespace gatewise

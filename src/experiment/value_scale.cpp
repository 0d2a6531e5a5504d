#include "experiment/value_scale.h"

#include <algorithm>
#include <cmath>

namespace gatewise {
namespace {

struct Moments {
  double mean = 0, deviation = 0;
};

Moments moments(const std::vector<double>& values) {
  Moments found;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) found.mean += value / count;
  double squares = 0;
  for (const double value : values) squares += (value - found.mean) * (value - found.mean) / count;
  found.deviation = std::sqrt(squares);
  return found;
}

void standardise(std::vector<double>& values) {
  const auto [mean, deviation] = moments(values);
  for (double& value : values) value = deviation > 0 ? (value - mean) / deviation : 0;
}

double power(double x, double lambda) {
  if (x >= 0) return lambda == 0 ? std::log1p(x) : (std::pow(x + 1, lambda) - 1) / lambda;
  const double mirrored = 2 - lambda;
  return mirrored == 0 ? -std::log1p(-x) : -(std::pow(1 - x, mirrored) - 1) / mirrored;
}

// Of the transformed values as normal ones, with the best mean and deviation, up to a constant.
double log_likelihood(const std::vector<double>& values, double lambda) {
  std::vector<double> transformed;
  double jacobian = 0;
  for (const double value : values) {
    transformed.push_back(power(value, lambda));
    jacobian += std::copysign(std::log1p(std::abs(value)), value);
  }
  const double deviation = moments(transformed).deviation;
  if (!(deviation > 1e-12) || !std::isfinite(deviation)) return -1e300;
  return -static_cast<double>(values.size()) * std::log(deviation) + (lambda - 1) * jacobian;
}

}  // namespace

std::vector<double> normal_values(const std::vector<double>& values) {
  double worst = -INFINITY;
  for (const double value : values) {
    if (!std::isnan(value)) worst = std::max(worst, value);
  }
  std::vector<double> result = values;
  std::replace_if(
      result.begin(), result.end(), [](double value) { return std::isnan(value); }, worst);
  standardise(result);
  double best_lambda = 1, best = log_likelihood(result, 1);
  for (double lambda = -2; lambda < 2.01; lambda += 0.125) {
    const double likelihood = log_likelihood(result, lambda);
    // A transformation is worth having when the values speak for it, as by Akaike's criterion.
    if (likelihood > best + (best_lambda == 1 ? 1 : 0)) {
      best = likelihood;
      best_lambda = lambda;
    }
  }
  for (double& value : result) value = power(value, best_lambda);
  standardise(result);
  return result;
}

}  // namespace gatewise

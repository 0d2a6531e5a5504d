#include "features/scaling.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace gatewise {
namespace {

double signed_log1p(double x) { return std::copysign(std::log1p(std::abs(x)), x); }
double signed_expm1(double y) { return std::copysign(std::expm1(std::abs(y)), y); }

std::vector<double> quantile_edges(std::vector<double> sorted, int64_t bins) {
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> edges;
  for (int64_t bin = 1; bin < bins && !sorted.empty(); ++bin) {
    const double edge = sorted[sorted.size() * static_cast<size_t>(bin) / static_cast<size_t>(bins)];
    if (edge > sorted.front() && (edges.empty() || edge > edges.back())) edges.push_back(edge);
  }
  return edges;
}

}  // namespace

Scaling Scaling::fit(std::span<const double> values, const std::string& transform, int64_t bins,
                     bool scales_log) {
  Scaling scaling;
  scaling.set_transform(transform);
  std::vector<double> present;
  for (const double value : values) {
    if (!std::isnan(value)) present.push_back(transform == "log1p" ? signed_log1p(value) : value);
  }
  if (transform == "quantile") {
    scaling.edges_ = quantile_edges(std::move(present), bins);
    return scaling;
  }
  if (present.empty() || !(transform == "standardise" || (transform == "log1p" && scales_log)))
    return scaling;
  const double count = static_cast<double>(present.size());
  double sum = 0, squares = 0;
  for (const double value : present) sum += value;
  scaling.mean_ = sum / count;
  for (const double value : present) squares += (value - scaling.mean_) * (value - scaling.mean_);
  const double deviation = std::sqrt(squares / count);
  // Rounding leaves a constant column a spread of some 1e-16 of its size.
  scaling.scale_ = deviation > 1e-12 * std::abs(scaling.mean_) ? deviation : 1;
  return scaling;
}

void Scaling::set_transform(const std::string& transform) {
  transform_ = transform;
  is_log_ = transform == "log1p";
}

double Scaling::apply(double x) const {
  if (is_log_) x = signed_log1p(x);
  return (x - mean_) / scale_;
}

double Scaling::invert(double y) const {
  const double x = y * scale_ + mean_;
  return is_log_ ? signed_expm1(x) : x;
}

int64_t Scaling::bin(double x) const {
  return std::upper_bound(edges_.begin(), edges_.end(), x) - edges_.begin();
}

Json Scaling::to_json() const {
  return {{"transform", transform_}, {"mean", mean_}, {"scale", scale_}, {"edges", edges_}};
}

Scaling Scaling::from_json(const Json& json) {
  Scaling scaling;
  scaling.set_transform(json.at("transform").get<std::string>());
  scaling.mean_ = json.at("mean").get<double>();
  scaling.scale_ = json.at("scale").get<double>();
  scaling.edges_ = json.at("edges").get<std::vector<double>>();
  const std::string& transform = scaling.transform_;
  const bool is_known =
      transform == "none" || transform == "standardise" || transform == "log1p" || transform == "quantile";
  const bool has_numbers =
      std::isfinite(scaling.mean_) && std::isfinite(scaling.scale_) && scaling.scale_ > 0;
  const bool ascends = std::all_of(scaling.edges_.begin(), scaling.edges_.end(),
                                   [](double edge) { return std::isfinite(edge); }) &&
                       std::is_sorted(scaling.edges_.begin(), scaling.edges_.end());
  if (!is_known || !has_numbers || !ascends) {
    data_error(
        "the scaling \"{}\" with mean {}, scale {} and {} edges is damaged; expected a known transform, "
        "finite "
        "numbers, a scale above 0 and edges that ascend",
        transform, scaling.mean_, scaling.scale_, scaling.edges_.size());
  }
  return scaling;
}

}  // namespace gatewise

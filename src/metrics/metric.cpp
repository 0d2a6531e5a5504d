#include "metrics/metric.h"

#include <cmath>

namespace gatewise {

bool fits_task(const MetricTraits& traits, const std::string& kind) {
  if (kind == "binary") return traits.fits_binary;
  return kind == "multiclass" ? traits.fits_multiclass : traits.fits_regression;
}

std::string to_string(Direction direction) {
  switch (direction) {
    case Direction::Higher:
      return "higher is better";
    case Direction::Lower:
      return "lower is better";
    case Direction::CloserToOne:
      return "closer to 1 is better";
  }
  internal_error("direction {} has no name", static_cast<int>(direction));
}

MetricValue Metric::evaluate(const MetricInput& input) const {
  const std::unique_ptr<PreparedMetric> prepared = prepare(input);
  const std::vector<double> once(static_cast<size_t>(prepared->units()), 1.0);
  MetricValue value = prepared->value(once);
  value.details = prepared->details();
  return value;
}

bool Metric::is_better(double a, double b) const {
  switch (traits().direction) {
    case Direction::Higher:
      return a > b;
    case Direction::Lower:
      return a < b;
    case Direction::CloserToOne:
      return std::abs(std::log(a)) < std::abs(std::log(b));
  }
  internal_error("a metric without a direction");
}

std::unique_ptr<Metric> make_metric(const std::string& name, const Json& options, const std::string& path) {
  return Registry<Metric>::instance().find(name, "metric", path).make(options, path);
}

void MetricRows::append(const MetricInput& batch) {
  if (batch.classes != classes_) {
    internal_error("metric rows: got a batch of {} classes, expected {}", batch.classes, classes_);
  }
  const bool is_first = labels_.empty();
  if (!is_first && batch.rows > 0 &&
      (batch.weights.empty() != weights_.empty() || batch.groups.empty() != groups_.empty())) {
    internal_error("metric rows: batches differ in having weights or groups");
  }
  for (size_t i = 0; i < batch.predictions.size(); ++i) predictions_.push_back(batch.predictions[i]);
  for (size_t i = 0; i < batch.labels.size(); ++i) labels_.push_back(batch.labels[i]);
  weights_.insert(weights_.end(), batch.weights.begin(), batch.weights.end());
  groups_.insert(groups_.end(), batch.groups.begin(), batch.groups.end());
}

MetricInput MetricRows::input() const {
  return {static_cast<int64_t>(labels_.size()), classes_, predictions_, labels_, weights_, groups_};
}

void MetricRows::clear() { *this = MetricRows(classes_); }

}  // namespace gatewise

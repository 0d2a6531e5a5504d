#include <algorithm>
#include <limits>

#include "metrics/prepared.h"

namespace gatewise {
namespace {

class PreparedR2 final : public PreparedMetric {
 public:
  PreparedR2(const MetricInput& input, PresentRows rows) : rows_(std::move(rows)) {
    predictions_.reserve(rows_.index.size());
    for (const int64_t row : rows_.index) predictions_.push_back(input.predictions[row]);
  }

  int64_t units() const override { return rows_.count(); }

  MetricValue value(std::span<const double> counts) const override {
    double sum = 0, total = 0;
    double smallest = std::numeric_limits<double>::infinity(), largest = -smallest;
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0) continue;
      sum += counts[i] * rows_.weights[i] * rows_.labels[i];
      total += counts[i] * rows_.weights[i];
      smallest = std::min(smallest, rows_.labels[i]);
      largest = std::max(largest, rows_.labels[i]);
    }
    if (!(smallest < largest)) return {std::nullopt, "all labels are equal", {}};
    const double mean = sum / total;
    double errors = 0, spread = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      const double weight = counts[i] * rows_.weights[i];
      const double error = predictions_[i] - rows_.labels[i], distance = rows_.labels[i] - mean;
      errors += weight * error * error;
      spread += weight * distance * distance;
    }
    return {1 - errors / spread, "", {}};
  }

 private:
  PresentRows rows_;
  std::vector<double> predictions_;
};

class R2 final : public Metric {
 public:
  struct Options {
    void declare(OptionSet&) {}
  };
  explicit R2(const Options&) {}

  MetricTraits traits() const override { return {Direction::Higher, false, false, true}; }

  std::unique_ptr<PreparedMetric> prepare(const MetricInput& input) const override {
    require_one_prediction(input, "r2");
    PresentRows rows = present_rows(input, "r2");
    if (!rows.why_undefined.empty()) return undefined_metric(rows);
    return std::make_unique<PreparedR2>(input, std::move(rows));
  }
};

const Register<Metric, R2> r2_registered{
    "r2", "1 - squared error / squared error of the labels' own mean; undefined for equal labels"};

}  // namespace
}  // namespace gatewise

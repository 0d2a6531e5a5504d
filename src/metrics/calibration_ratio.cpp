#include "metrics/prepared.h"

namespace gatewise {
namespace {

class PreparedCalibration final : public PreparedMetric {
 public:
  PreparedCalibration(const MetricInput& input, PresentRows rows) : rows_(std::move(rows)) {
    predictions_.reserve(rows_.index.size());
    for (const int64_t row : rows_.index) predictions_.push_back(input.predictions[row]);
  }

  int64_t units() const override { return rows_.count(); }

  MetricValue value(std::span<const double> counts) const override {
    double predicted = 0, observed = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      predicted += counts[i] * rows_.weights[i] * predictions_[i];
      observed += counts[i] * rows_.weights[i] * rows_.labels[i];
    }
    if (observed == 0) return {std::nullopt, "all labels are 0", {}};
    return {predicted / observed, "", {}};
  }

 private:
  PresentRows rows_;
  std::vector<double> predictions_;
};

class CalibrationRatio final : public Metric {
 public:
  struct Options {
    void declare(OptionSet&) {}
  };
  explicit CalibrationRatio(const Options&) {}

  MetricTraits traits() const override { return {Direction::CloserToOne, true, false, false}; }

  std::unique_ptr<PreparedMetric> prepare(const MetricInput& input) const override {
    require_one_prediction(input, "calibration_ratio");
    PresentRows rows = present_rows(input, "calibration_ratio");
    if (!rows.why_undefined.empty()) return undefined_metric(rows);
    require_probability_labels(rows, "calibration_ratio");
    require_probabilities(input, rows, "calibration_ratio");
    return std::make_unique<PreparedCalibration>(input, std::move(rows));
  }
};

const Register<Metric, CalibrationRatio> calibration_ratio_registered{
    "calibration_ratio", "sum of probabilities over sum of labels; above 1 the model promises too much"};

}  // namespace
}  // namespace gatewise

#include <cmath>

#include "metrics/prepared.h"

namespace gatewise {
namespace {

class Mae final : public Metric {
 public:
  struct Options {
    void declare(OptionSet&) {}
  };
  explicit Mae(const Options&) {}

  MetricTraits traits() const override { return {Direction::Lower, false, false, true, true}; }

  std::unique_ptr<PreparedMetric> prepare(const MetricInput& input) const override {
    require_one_prediction(input, "mae");
    PresentRows rows = present_rows(input, "mae");
    if (!rows.why_undefined.empty()) return undefined_metric(rows);
    std::vector<double> losses;
    losses.reserve(rows.index.size());
    for (size_t i = 0; i < rows.index.size(); ++i) {
      const double error = input.predictions[rows.index[i]] - rows.labels[i];
      losses.push_back(std::abs(error));
    }
    return mean_of_rows(std::move(rows), std::move(losses));
  }
};

const Register<Metric, Mae> mae_registered{"mae", "mean absolute error, in the units of the label"};

}  // namespace
}  // namespace gatewise

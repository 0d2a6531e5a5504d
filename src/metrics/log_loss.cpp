#include "metrics/prepared.h"

namespace gatewise {
namespace {

class LogLoss final : public Metric {
 public:
  struct Options {
    double clip = 1e-7;
    void declare(OptionSet& set) {
      set.add("clip", &clip, "probabilities are kept this far from 0 and 1").range(1e-15, 0.1);
    }
  };
  explicit LogLoss(const Options& options) : options_(options) {}

  MetricTraits traits() const override { return {Direction::Lower, true, true, false}; }

  std::unique_ptr<PreparedMetric> prepare(const MetricInput& input) const override {
    PresentRows rows = present_rows(input, "log_loss");
    if (!rows.why_undefined.empty()) return undefined_metric(rows);
    if (input.classes > 1) {
      require_class_labels(rows, input.classes, "log_loss");
    } else {
      require_probability_labels(rows, "log_loss");
    }
    require_probabilities(input, rows, "log_loss");
    std::vector<double> losses = cross_entropies(input, rows, options_.clip);
    return mean_of_rows(std::move(rows), std::move(losses));
  }

 private:
  Options options_;
};

const Register<Metric, LogLoss> log_loss_registered{
    "log_loss", "mean cross entropy in nats of the probabilities against the labels"};

}  // namespace
}  // namespace gatewise

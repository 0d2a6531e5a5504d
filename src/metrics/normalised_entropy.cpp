#include <cmath>

#include "metrics/prepared.h"

namespace gatewise {
namespace {

class PreparedEntropy final : public PreparedMetric {
 public:
  PreparedEntropy(PresentRows rows, std::vector<double> losses)
      : rows_(std::move(rows)), losses_(std::move(losses)) {}

  int64_t units() const override { return rows_.count(); }

  MetricValue value(std::span<const double> counts) const override {
    double loss = 0, positives = 0, negatives = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      const double weight = counts[i] * rows_.weights[i];
      loss += weight * losses_[i];
      positives += weight * rows_.labels[i];
      negatives += weight * (1 - rows_.labels[i]);
    }
    if (positives == 0 || negatives == 0) {
      return {std::nullopt, positives == 0 ? "all labels are 0" : "all labels are 1", {}};
    }
    const double total = positives + negatives;
    const double entropy = -positives * std::log(positives / total) - negatives * std::log(negatives / total);
    return {loss / entropy, "", {}};
  }

 private:
  PresentRows rows_;
  std::vector<double> losses_;
};

// He et al. 2014, "Practical lessons from predicting clicks on ads at Facebook".
class NormalisedEntropy final : public Metric {
 public:
  struct Options {
    double clip = 1e-7;
    void declare(OptionSet& set) {
      set.add("clip", &clip, "probabilities are kept this far from 0 and 1").range(1e-15, 0.1);
    }
  };
  explicit NormalisedEntropy(const Options& options) : options_(options) {}

  MetricTraits traits() const override { return {Direction::Lower, true, false, false}; }

  std::unique_ptr<PreparedMetric> prepare(const MetricInput& input) const override {
    require_one_prediction(input, "normalised_entropy");
    PresentRows rows = present_rows(input, "normalised_entropy");
    if (!rows.why_undefined.empty()) return undefined_metric(rows);
    require_probability_labels(rows, "normalised_entropy");
    require_probabilities(input, rows, "normalised_entropy");
    std::vector<double> losses = cross_entropies(input, rows, options_.clip);
    return std::make_unique<PreparedEntropy>(std::move(rows), std::move(losses));
  }

 private:
  Options options_;
};

const Register<Metric, NormalisedEntropy> normalised_entropy_registered{
    "normalised_entropy",
    "log loss over that of always predicting the labels' mean; undefined for one class"};

}  // namespace
}  // namespace gatewise

#include <algorithm>

#include "metrics/prepared.h"

namespace gatewise {
namespace {

class Accuracy final : public Metric {
 public:
  struct Options {
    double threshold = 0.5;
    void declare(OptionSet& set) {
      set.add("threshold", &threshold, "binary tasks: probabilities of at least this count as class 1")
          .range(0, 1);
    }
  };
  explicit Accuracy(const Options& options) : options_(options) {}

  MetricTraits traits() const override { return {Direction::Higher, true, true, false}; }

  std::unique_ptr<PreparedMetric> prepare(const MetricInput& input) const override {
    PresentRows rows = present_rows(input, "accuracy");
    if (!rows.why_undefined.empty()) return undefined_metric(rows);
    require_class_labels(rows, std::max<int64_t>(input.classes, 2), "accuracy");
    std::vector<double> hits;
    hits.reserve(rows.index.size());
    for (size_t i = 0; i < rows.index.size(); ++i) {
      const auto predictions = input.predictions.subspan(rows.index[i] * input.classes, input.classes);
      hits.push_back(chosen_class(predictions) == static_cast<int64_t>(rows.labels[i]) ? 1.0 : 0.0);
    }
    return mean_of_rows(std::move(rows), std::move(hits));
  }

 private:
  // The most probable class; the first of equals.
  int64_t chosen_class(ValueSpan predictions) const {
    if (predictions.size() == 1) return predictions[0] >= options_.threshold ? 1 : 0;
    return likeliest_class(predictions);
  }

  Options options_;
};

const Register<Metric, Accuracy> accuracy_registered{"accuracy",
                                                     "share of rows whose most probable class is the label"};

}  // namespace
}  // namespace gatewise

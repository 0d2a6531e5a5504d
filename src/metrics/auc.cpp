#include <algorithm>

#include "metrics/prepared.h"
#include "metrics/ranking.h"

namespace gatewise {
namespace {

// One ranking for a binary task, one per class otherwise.
class PreparedAuc final : public PreparedMetric {
 public:
  PreparedAuc(const MetricInput& input, const PresentRows& rows) : units_(rows.count()) {
    for (int64_t column = 0; column < input.classes; ++column) {
      const double positive = input.classes > 1 ? static_cast<double>(column) : 1.0;
      std::vector<RankedRow> ranked;
      ranked.reserve(rows.index.size());
      for (int64_t unit = 0; unit < units_; ++unit) {
        ranked.push_back({static_cast<float>(input.predictions[rows.index[unit] * input.classes + column]),
                          rows.labels[unit] == positive, rows.weights[unit], unit});
      }
      rankings_.emplace_back(std::move(ranked));
    }
  }

  int64_t units() const override { return units_; }

  MetricValue value(std::span<const double> counts) const override {
    double sum = 0;
    int64_t defined = 0;
    Ranking::Area area;
    for (const Ranking& ranking : rankings_) {
      area = ranking.area(counts);
      if (!area.auc) continue;
      sum += *area.auc;
      ++defined;
    }
    if (defined > 0) return {sum / static_cast<double>(defined), "", {}};
    if (rankings_.size() > 1) return {std::nullopt, "all labels are of one class", {}};
    return {std::nullopt, area.positives > 0 ? "all labels are 1" : "all labels are 0", {}};
  }

  Json details() const override {
    if (rankings_.size() == 1) return {};
    int64_t left_out = 0;
    for (const Ranking& ranking : rankings_) left_out += ranking.area({}).auc ? 0 : 1;
    return {{"classes", rankings_.size()}, {"classes_left_out", left_out}};
  }

 private:
  int64_t units_;
  std::vector<Ranking> rankings_;
};

class Auc final : public Metric {
 public:
  struct Options {
    void declare(OptionSet&) {}
  };
  explicit Auc(const Options&) {}

  MetricTraits traits() const override { return {Direction::Higher, true, true, false}; }

  std::unique_ptr<PreparedMetric> prepare(const MetricInput& input) const override {
    const PresentRows rows = present_rows(input, "auc");
    if (!rows.why_undefined.empty()) return undefined_metric(rows);
    require_class_labels(rows, std::max<int64_t>(input.classes, 2), "auc");
    return std::make_unique<PreparedAuc>(input, rows);
  }
};

const Register<Metric, Auc> auc_registered{
    "auc",
    "chance that a row of class 1 scores above one of class 0, equal "
    "scores counting half; with several classes the "
    "mean over classes of each against the rest, absent classes left out "
    "and counted; undefined for one class"};

}  // namespace
}  // namespace gatewise

#include <algorithm>
#include <numeric>

#include "features/encoded_data.h"
#include "metrics/prepared.h"
#include "metrics/ranking.h"

namespace gatewise {
namespace {

struct Group {
  std::optional<double> auc;  // none: one class only
  double weight = 0;
  int64_t rows = 0;
};

class PreparedGroupedAuc final : public PreparedMetric {
 public:
  PreparedGroupedAuc(std::vector<Group> groups, int64_t rows_without_group)
      : groups_(std::move(groups)), rows_without_group_(rows_without_group) {}

  int64_t units() const override { return static_cast<int64_t>(groups_.size()); }

  MetricValue value(std::span<const double> counts) const override {
    double sum = 0, total = 0;
    for (size_t g = 0; g < groups_.size(); ++g) {
      if (!groups_[g].auc) continue;
      sum += counts[g] * groups_[g].weight * *groups_[g].auc;
      total += counts[g] * groups_[g].weight;
    }
    if (total == 0) return {std::nullopt, "no group has both classes", {}};
    return {sum / total, "", {}};
  }

  Json details() const override {
    int64_t left_out = 0, rows = 0;
    for (const Group& group : groups_) {
      if (group.auc) continue;
      ++left_out;
      rows += group.rows;
    }
    return {{"groups", groups_.size()},
            {"one_class_groups_left_out", left_out},
            {"rows_left_out", rows},
            {"rows_without_group", rows_without_group_}};
  }

 private:
  std::vector<Group> groups_;  // by rising group number
  int64_t rows_without_group_ = 0;
};

class GroupedAuc final : public Metric {
 public:
  struct Options {
    std::string weight = "rows";
    void declare(OptionSet& set) {
      set.add("weight", &weight,
              "what a group's AUC counts for in the mean: \"rows\", the sum of its row weights; "
              "\"positives\", the sum "
              "over its rows of class 1; \"none\", every group the same")
          .choices({"rows", "positives", "none"});
    }
  };
  explicit GroupedAuc(const Options& options) : options_(options) {}

  MetricTraits traits() const override { return {Direction::Higher, true, false, false}; }

  std::unique_ptr<PreparedMetric> prepare(const MetricInput& input) const override {
    require_one_prediction(input, "grouped_auc");
    PresentRows rows = present_rows(input, "grouped_auc");
    if (rows.why_undefined.empty() && input.groups.empty()) rows.why_undefined = "the rows have no group";
    if (!rows.why_undefined.empty()) return undefined_metric(rows);
    require_class_labels(rows, 2, "grouped_auc");
    const auto group_of = [&](int64_t unit) { return input.groups[rows.index[unit]]; };
    std::vector<int64_t> order(rows.index.size());
    std::iota(order.begin(), order.end(), 0);
    const auto without =
        static_cast<int64_t>(std::erase_if(order, [&](int64_t unit) { return group_of(unit) == no_group; }));
    std::sort(order.begin(), order.end(),
              [&](int64_t a, int64_t b) { return std::pair(group_of(a), a) < std::pair(group_of(b), b); });
    std::vector<Group> groups;
    for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
      while (end < order.size() && group_of(order[end]) == group_of(order[begin])) ++end;
      groups.push_back(make_group(input, rows, std::span(order).subspan(begin, end - begin)));
    }
    return std::make_unique<PreparedGroupedAuc>(std::move(groups), without);
  }

 private:
  Group make_group(const MetricInput& input, const PresentRows& rows, std::span<const int64_t> units) const {
    std::vector<RankedRow> ranked;
    ranked.reserve(units.size());
    for (const int64_t unit : units) {
      ranked.push_back({static_cast<float>(input.predictions[rows.index[unit]]), rows.labels[unit] == 1,
                        rows.weights[unit], unit});
    }
    const Ranking::Area area = Ranking(std::move(ranked)).area({});
    const double weight = options_.weight == "rows"        ? area.positives + area.negatives
                          : options_.weight == "positives" ? area.positives
                                                           : 1.0;
    return {area.auc, weight, static_cast<int64_t>(units.size())};
  }

  Options options_;
};

const Register<Metric, GroupedAuc> grouped_auc_registered{
    "grouped_auc",
    "weighted mean of the AUC within each group (a user, a query); "
    "groups of one class, and rows without a group, are left out and counted; its "
    "interval draws whole groups"};

}  // namespace
}  // namespace gatewise

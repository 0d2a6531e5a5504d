// What a search for settings improves: a weighted mean of metrics of tasks, on validation rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "configuration/configuration.h"
#include "features/feature_space.h"

namespace gatewise {

class Objective {
 public:
  struct Term {
    std::string task, metric;
    double weight = 1;
    Direction direction = Direction::Higher;
  };

  // `given` is one of: "" (every task by its usual metric: auc, r2 or log_loss), "auc" (of every task that it
  // fits), "income.auc", or {"income.auc" = 2, marital = 1}, in which a task alone stands for its usual
  // metric. Throws Error(Command) for unknown tasks and metrics, for metrics that do not fit, and for weights
  // that are negative or all 0.
  static Objective read(const Json& given, const std::vector<TaskSpace>& tasks);

  const std::vector<Term>& terms() const { return terms_; }
  // Whether a lower value is better: where that holds for all terms. Otherwise terms of which lower is better
  // count with the opposite sign, and ratios by their distance from 1, as a negative logarithm.
  bool is_lower_better() const;

  // From {<task>: {<metric>: {value}}}; nothing when one of the values is undefined.
  std::optional<double> value(const Json& tasks) const;
  // Of which term it is, and why, where there is no value: "auc of click: only one class".
  std::string why_undefined(const Json& tasks) const;
  // The same as a cost: smaller is better.
  double cost(double value) const { return is_lower_better() ? value : -value; }

  // Adds the metrics to those that the configuration measures and reports after every epoch.
  void require(Configuration& configuration, const std::vector<TaskSpace>& tasks) const;

  // The options of [training.stop] by which the kept epoch is the best one by the objective: empty where that
  // is so without any, nothing where they cannot say it (two metrics of one task, or of tasks that both fit).
  std::optional<Json> stop_options(const std::vector<TaskSpace>& tasks) const;

  // "auc of income", or the terms with their weights, and as value() counts them: "mean of auc of income, -
  // rmse of age, - |log calibration_ratio of income|".
  std::string text() const;
  Json to_json() const;

 private:
  std::vector<Term> terms_;
};

}  // namespace gatewise

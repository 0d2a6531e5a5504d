// Early stopping over several tasks; judged on validation rows, never on test rows.
#pragma once

#include "features/feature_space.h"
#include "metrics/metric.h"
#include "training/trainer.h"

namespace gatewise {

// The metric that judges tasks of this kind unless another is named.
std::string usual_metric(const std::string& kind);

// Throws Error(Command) for options that the policy does not read.
void check_stop(const StopOptions& options);

class Stopper {
 public:
  // Throws Error(Command) when the options name an unknown task or a metric that does not fit.
  Stopper(const StopOptions& options, const std::vector<TaskSpace>& tasks);

  // The metric that decides for a task.
  const std::string& metric_of(size_t task) const { return metrics_[task]; }

  // Takes the epoch's values by task and returns whether it is the best so far. Undefined ones are left out:
  // an epoch without any is the best, and does not count towards stopping. NaN, of predictions that are not
  // finite, is the worst of all: an epoch with one that counts is never the best.
  bool is_best(const std::vector<std::optional<double>>& values);
  bool should_stop() const { return options_.patience > 0 && epochs_without_ >= options_.patience; }

  Json to_json() const;
  void restore(const Json& json);

 private:
  // Larger is better, whatever the metric's direction.
  double score(size_t task, double value) const;
  double weight(size_t task) const;
  // Throws Error(Command) where "mean" would add values of different units.
  void check_units() const;

  StopOptions options_;
  std::vector<std::string> names_;
  std::vector<std::string> metrics_;
  std::vector<Direction> directions_;
  std::vector<std::optional<double>> best_;  // scores by task; one entry for "one" and "mean"
  int64_t epochs_without_ = 0;
};

}  // namespace gatewise

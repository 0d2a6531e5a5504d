// Regression tasks in groups: the tasks of a group are sums of the same nonlinear functions of the row, and
// tasks of different groups share none. What a gate that chooses experts per task ought to find.
//
//   x ~ N(0, I),  h_gj = tanh(<w_gj, x>),  y_t = sum over j of v_tj h_gj + noise,   g the group of task t
//   w_gj ~ N(0, feature_scale^2 / dimension I),  v_t = readout_scale (u_g + spread e_t),  u_g, e_t ~ N(0, I)
#pragma once

#include "table/synthetic.h"

namespace gatewise {

struct GroupedTasksOptions {
  int64_t tasks = 8;
  int64_t groups = 4;
  int64_t features = 8;
  int64_t dimension = 20;
  double feature_scale = 2.5;
  double readout_scale = 0.5;
  double spread = 0.5;
  double noise_variance = 0;
  int64_t noise_tasks = 0;
  int64_t seed = 0;
  void declare(OptionSet& set);
};

// Features x0, x1, ...; labels y1, y2, ... in groups of consecutive tasks (as equal in size as can be), then
// noise1, noise2, ... of tasks that are standard normal whatever the row.
// truth(): "kind", "options", "group" [tasks], "feature_weights" [groups][features][dimension], "readouts"
// [tasks][features], "label_variance" [tasks] (noise included), "noise_floor" [tasks] (the least possible
// mean squared error); the last two also for the tasks of pure noise.
class GroupedTasks final : public SyntheticTable {
 public:
  using Options = GroupedTasksOptions;

  // Throws Error(Command) for more groups than tasks.
  explicit GroupedTasks(const Options& options);

  const std::vector<std::string>& features() const override { return features_; }
  const std::vector<SyntheticLabel>& labels() const override { return labels_; }
  void fill(uint64_t step, int64_t first_row, int64_t rows, float* x, float* label_values) const override;
  Json truth() const override;

 private:
  int64_t group_of(int64_t task) const { return task * options_.groups / options_.tasks; }
  std::vector<double> covariance(int64_t group) const;  // [features, features] of a group's functions
  std::vector<double> label_variances() const;          // of the tasks that depend on the row

  Options options_;
  std::vector<float> weights_;   // [groups, features, dimension]
  std::vector<float> readouts_;  // [tasks, features]
  std::vector<std::string> features_;
  std::vector<SyntheticLabel> labels_;
};

}  // namespace gatewise

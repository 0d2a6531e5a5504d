// Rows that belong to one task each, named by the column "task": many tasks, some with a great many rows and
// some with few, in groups that share functions.
//
//   x ~ N(0, I),  h_j = tanh(scale * <direction_gj, x>) / sd,  y = <readout_t, h> + noise
//
// for a row of task t in group g. The directions of a group are orthonormal, so that its functions h are
// independent with variance 1, and readouts have length 1: without noise every label has variance 1, and the
// labels of two tasks of one group are correlated by the product of their readouts. Groups have nothing in
// common but x.
#pragma once

#include "base/random.h"
#include "table/synthetic.h"

namespace gatewise {

struct OneTaskRowsOptions {
  int64_t tasks = 16;
  int64_t groups = 4;
  int64_t dimension = 20;
  int64_t functions = 8;
  double scale = 2;
  double difference = 0.5;
  double imbalance = 100;
  std::vector<double> shares{};
  double noise_variance = 0.01;
  int64_t seed = 0;
  void declare(OptionSet& set);
};

// Ids task (0 .. tasks - 1); features x0, x1, ...; one regression label y, of the row's task. Task t is of
// group t modulo groups.
// truth(): "kind", "options"; "tasks": list by task of {"group", "share" (of rows), "readout" [functions]};
// "groups": list by group of its tasks; "directions" [groups][functions][dimension]; "function_sd": the sd
// above; "label_variance"; "noise_floor": the least possible mean squared error of every task.
class OneTaskRows final : public SyntheticTable {
 public:
  using Options = OneTaskRowsOptions;

  // Throws Error(Command) for more groups than tasks, more functions than dimensions, or shares that do not
  // fit the tasks.
  explicit OneTaskRows(const Options& options);

  const std::vector<SyntheticId>& ids() const override { return ids_; }
  const std::vector<std::string>& features() const override { return features_; }
  const std::vector<SyntheticLabel>& labels() const override { return labels_; }
  void fill(uint64_t step, int64_t first_row, int64_t rows, float* x, float* label_values) const override;
  void fill_ids(uint64_t step, int64_t first_row, int64_t rows, uint64_t* values) const override;
  Json truth() const override;

 private:
  void set_shares();
  void draw_functions();
  int64_t task_of(uint64_t step, int64_t row) const;

  Options options_;
  RandomStream task_draws_, feature_draws_, noise_draws_;
  std::vector<double> shares_, shares_up_to_;                 // by task; the latter sums, its own included
  std::vector<std::vector<std::vector<double>>> directions_;  // [groups][functions][dimension]
  std::vector<std::vector<double>> readouts_;                 // [tasks][functions]
  double function_sd_ = 1;
  std::vector<SyntheticId> ids_;
  std::vector<std::string> features_;
  std::vector<SyntheticLabel> labels_{{"y", "regression"}};
};

}  // namespace gatewise

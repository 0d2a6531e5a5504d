// What each task's loss pulls at: shares of the experts' gradients, and whether tasks pull against each
// other.
#pragma once

#include "training/task_gradients.h"

namespace gatewise {

// Of one batch of rows.
struct BatchGradients {
  // [expert of all levels, level by level][task]: norm of the gradient of the task's loss, times its weight,
  // over the expert's own parameters.
  std::vector<std::vector<double>> norms;
  std::vector<double> cosines;  // by pair of tasks over all shared parameters; NaN where one has no label
  std::vector<std::vector<double>> expert_cosines;  // [expert][pair] over the expert's parameters
};

struct GradientStatistics {
  std::vector<std::pair<size_t, size_t>> pairs;  // of tasks, the first 32
  size_t unpaired_tasks = 0;                     // those beyond them
  std::vector<BatchGradients> batches;           // in the order of the rows
  int64_t batch_rows = 0;
  std::string why_none;  // set exactly when there are no batches
};

// Gradients of the model as it trains (dropout and batch statistics included) on consecutive batches of the
// rows, their losses divided as `normaliser` says (BatchLoader). A parameter is shared where two tasks'
// losses both move it.
GradientStatistics measure_gradients(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                                     const EncodedData& data, int64_t batch_rows,
                                     const std::string& normaliser, Pool& pool);

}  // namespace gatewise

// The gradient of each task's loss apart, on chosen rows.
#pragma once

#include <span>
#include <vector>

#include "engine/program.h"
#include "training/batches.h"

namespace gatewise {

// A block of the parameter arena that is saved under one path.
struct GradientBlock {
  std::string path;
  int64_t offset = 0, rows = 1, columns = 1, row_stride = 1;
};

// Of the dense parameters, as saved: embedding tables take part in no gradient by task.
std::vector<GradientBlock> gradient_blocks(const Layout& layout);
double squared_norm(const GradientBlock& block, const float* arena);
double dot_product(const GradientBlock& block, const float* a, const float* b);

class TaskGradients {
 public:
  // `normaliser`: as training divides the losses (BatchLoader). `parameters`: the nodes of those that alone
  // are wanted; empty: all.
  TaskGradients(const Graph& graph, Store<float>& store, const FeatureSpace& space, Pool& pool,
                int64_t batch_rows, const std::string& normaliser, const std::vector<int>& parameters = {});

  // Whether the gradients of all tasks are small enough to be held side by side: at most 2^26 numbers.
  static bool fits(const Store<float>& store, const FeatureSpace& space);

  // By task: the gradient of its loss over these rows times its weight, as the arena; empty for a task
  // without a label there, or with fewer than two rows of its own where every row belongs to one task. `step`
  // keys what is random in training.
  std::vector<Aligned<float>> of(const EncodedData& data, std::span<const int64_t> rows, uint64_t step);

 private:
  std::vector<Aligned<float>> of_own_rows(const EncodedData& data, std::span<const int64_t> rows,
                                          const Run& run);

  FeatureSpace space_;
  Pool& pool_;
  bool divides_by_batch_;
  BatchLoader loader_;
  Program<float> program_;
};

}  // namespace gatewise

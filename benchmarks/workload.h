// What is trained in a benchmark: a model, its initial values, and batches, from a dump of the PyTorch
// scripts (benchmarks/pytorch/README.md), so that both sides start from the same numbers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/optimiser.h"
#include "model_file/tensors.h"

namespace gatewise::benchmarks {

struct Workload {
  std::unique_ptr<Graph> graph;
  std::vector<Batch<float>> batches;  // consecutive parts of the dumped rows, all of one size
  OptimiserOptions optimiser;
  int64_t dense_table_rows = 65536;
  double work_per_row =
      0;  // floating-point operations of forward, backward and mixing; 0 where look-ups dominate
  // Memory that the batches point into.
  std::vector<float> labels, coefficients, weights;
  std::vector<uint32_t> ids;
};

// `name`: "paper_mmoe" or "ranking_mmoe" of mixture.py.
std::unique_ptr<Workload> mixture_workload(const std::string& name, const TensorFile& dump,
                                           int64_t batch_rows);
// `ids`: "uniform" or "zipf" of embeddings.py.
std::unique_ptr<Workload> embeddings_workload(const std::string& ids, const TensorFile& dump,
                                              int64_t batch_rows);

// sparse_mixture.py; `form`: "routed" or "dense" (a gate that keeps two of 64 experts), "even" or "crowded"
// (the weights are given: routed products alone), "equal_work" (two experts on all rows: the dense products
// of as much work).
std::unique_ptr<Workload> sparse_workload(const std::string& form, const TensorFile& dump,
                                          int64_t batch_rows);

// A workload in training from the dumped values.
class Training {
 public:
  Training(const Workload& workload, const TensorFile& dump, int threads);

  // One step on batch number `index` modulo their number: gradients and update.
  void step(int64_t index);
  // A step without the optimiser.
  void take_gradients(int64_t index);
  // Loss of the first batch with the parameters as they are.
  double loss();
  // Rows of big tables that the last step's gradients name.
  int64_t touched_rows();
  // Whether a step changes exactly the table rows that its batch names. Takes one step.
  bool step_changes_only_named_rows(int64_t index);

 private:
  const Batch<float>& batch(int64_t index) const;

  const Workload& workload_;
  Store<float> store_;
  Pool pool_;
  Program<float> program_;
  Optimiser<float> optimiser_;
  Run run_;
};

}  // namespace gatewise::benchmarks

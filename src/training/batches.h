// Encoded rows to the batches a program reads.
#pragma once

#include <span>
#include <vector>

#include "engine/program.h"
#include "features/encoded_data.h"
#include "features/feature_space.h"

namespace gatewise {

class BatchLoader {
 public:
  // normaliser: "present" divides each task's loss by the sum of weights of its present rows in the batch,
  // "batch" by the number of rows.
  BatchLoader(const Graph& graph, const FeatureSpace& space, const std::string& normaliser = "present");

  // Copies the given rows side by side, rows of one task in the order of their tasks; the batch stays valid
  // until the next call.
  const Batch<float>& gather(const EncodedData& data, std::span<const int64_t> rows, Pool& pool);
  // Rows [first, first + count) where they lie, without labels.
  const Batch<float>& view(const EncodedData& data, int64_t first, int64_t count);
  // Rows that the caller writes into x(), ids() (rows of the embedding tables) and labels().
  const Batch<float>& made(int64_t rows);
  float* x(int64_t rows);
  uint32_t* ids(int64_t rows);
  float* labels(int64_t rows);

  // Sum over tasks and rows of the batch of present weights, by task.
  const std::vector<double>& present_weights() const { return present_; }
  // Of rows of one task, whose single loss has the tasks' weights in its coefficients: every task's loss
  // before its weight, from the loss of each row of the last batch.
  std::vector<double> own_losses(ConstRows<float> row_losses) const;

 private:
  void copy_rows(const EncodedData& data, std::span<const int64_t> rows, int64_t begin, int64_t end);
  void copy_bags(const EncodedData& data, std::span<const int64_t> rows);
  void take_coefficients(const EncodedData* data, std::span<const int64_t> rows, int64_t count);
  std::span<const int64_t> by_task(const EncodedData& data, std::span<const int64_t> rows);
  void take_own_coefficients(const EncodedData& data, std::span<const int64_t> rows);
  double class_weight(size_t task, float label) const;

  FeatureSpace space_;
  bool divides_by_batch_, has_own_labels_;
  int64_t label_columns_;
  int numeric_node_ = -1, labels_node_ = -1, row_task_node_ = -1;
  std::vector<int> id_nodes_, bag_nodes_;
  Batch<float> batch_;
  std::vector<float> numeric_, labels_, coefficients_;
  std::vector<double> own_coefficients_;  // before the tasks' weights
  std::vector<uint32_t> ids_, row_task_;
  std::vector<int64_t> sorted_;  // rows by task
  std::vector<int32_t> turns_;   // places in the batch of the rows as they were given
  std::vector<EncodedBag> bags_;
  std::vector<double> present_;
};

// The graph's leaf of this name, or -1 when the graph has none.
int find_leaf(const Graph& graph, Leaf leaf, const std::string& name);

}  // namespace gatewise

// A graph that scores rows: planned, laid out and packed once, then run by any number of threads at once,
// each with a ScoringRun of its own. Values are those of a Program for scoring, bit for bit; what is saved is
// all that need not be found out again for every batch, which for a single row is most of the time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "engine/store.h"
#include "kernels/row_product.h"

namespace gatewise {

// One input of a batch: rows of values, or ids (Ids nodes).
struct ScoringInput {
  ConstRows<float> values;
  Ids ids;
};

class ScoringSteps;

// A graph and where its parameters and states lie: in a store, or, for a graph that shares parameters with
// that of a store, in several places. All of it must outlive whoever reads it.
struct StoredGraph {
  explicit StoredGraph(const Store<float>& store);
  StoredGraph(const Graph& graph_, const Layout& layout_) : graph(&graph_), layout(&layout_) {}

  const Graph* graph;
  const Layout* layout;
  std::vector<const float*> parameters = {};  // by Layout::places
  const float* states = nullptr;              // Layout::state_of_node points into them
};

class ScoringProgram {
 public:
  // `watched`: values (by node) that can be read besides the outputs. The store must outlive the program and
  // not change. Throws Error(Data) for a graph whose outputs depend on the other rows of a batch, or on
  // values that only training gives (Graph::scalar).
  explicit ScoringProgram(const Store<float>& store, std::vector<int> watched = {});
  explicit ScoringProgram(StoredGraph stored, std::vector<int> watched = {});

  const Graph& graph() const { return *stored_.graph; }
  // The nodes that a batch has to bring, in the order of ScoringRun::forward()'s inputs.
  const std::vector<int>& inputs() const { return inputs_; }

 private:
  friend class ScoringSteps;

  // What a pass over a single row does at once: an operation, or products of the same numbers.
  struct RowUnit {
    std::vector<int> nodes;
    std::optional<kernels::RowProduct> product;  // of all nodes; absent: the one node's operation
  };

  const float* parameter(int place) const { return stored_.parameters[place]; }
  // Where a Static value lies; null data where the node is none.
  Rows<float> static_rows(const Node& node, bool is_matrix) const;
  void check() const;
  void compute_statics();
  void pack();
  void group(const Pass& pass);
  bool is_row_product(const Node& node) const;
  kernels::RowProduct row_product(const std::vector<int>& nodes) const;

  StoredGraph stored_;
  Plan plan_;
  std::vector<std::vector<Signature>> input_shapes_;         // by node
  std::vector<std::vector<kernels::Packed<float>>> packed_;  // by node: the panels of its matrix
  std::vector<std::vector<RowUnit>> row_units_;              // by pass
  std::vector<int> inputs_;
  std::vector<int> input_of_node_;  // -1 where the node is no input
  Aligned<float> statics_;
};

// The memory of one caller, and the calls of operations with their operands already found.
class ScoringRun {
 public:
  explicit ScoringRun(std::shared_ptr<const ScoringProgram> program);
  ~ScoringRun();
  ScoringRun(const ScoringRun&) = delete;
  ScoringRun& operator=(const ScoringRun&) = delete;

  // Scores `rows` rows; `inputs` as ScoringProgram::inputs(). Allocates only when a batch is larger than
  // every batch before.
  void forward(int64_t rows, std::span<const ScoringInput> inputs);
  // An output or watched value of the last run, [rows, elements]; Static values are one row of stride 0.
  ConstRows<float> value(int node) const;
  // The same of an output, by its place in Graph::outputs().
  ConstRows<float> output(size_t index) const;

 private:
  std::shared_ptr<const ScoringProgram> program_;
  std::unique_ptr<ScoringSteps> for_one_row_, for_batches_;
  const ScoringSteps* last_ = nullptr;
};

}  // namespace gatewise

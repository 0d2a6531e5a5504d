// A graph that scores rows: planned, laid out and packed once, then run by any number of threads at once,
// each with a ScoringRun of its own. Values are those of a Program for scoring, bit for bit; what is saved is
// all that need not be found out again for every batch, which for a single row is most of the time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "engine/store.h"

namespace gatewise {

// One input of a batch: rows of values, or ids (Ids nodes).
struct ScoringInput {
  ConstRows<float> values;
  Ids ids;
};

class ScoringProgram {
 public:
  // `watched`: values (by node) that can be read besides the outputs. The store must outlive the program and
  // not change. Throws Error(Data) for a graph whose outputs depend on the other rows of a batch, or on
  // values that only training gives (Graph::scalar).
  explicit ScoringProgram(const Store<float>& store, std::vector<int> watched = {});

  const Graph& graph() const { return store_.graph(); }
  // The nodes that a batch has to bring, in the order of ScoringRun::forward()'s inputs.
  const std::vector<int>& inputs() const { return inputs_; }

 private:
  friend class ScoringRun;

  const float* parameter(int place) const { return store_.at(store_.layout().places[place]); }
  void check() const;
  void compute_statics();
  void pack();

  const Store<float>& store_;
  Plan plan_;
  std::vector<std::vector<Signature>> input_shapes_;         // by node
  std::vector<std::vector<kernels::Packed<float>>> packed_;  // by node: the panels of its matrix
  std::vector<int> inputs_;
  std::vector<int> input_of_node_;  // -1 where the node is no input
  Aligned<float> statics_;
};

// The memory of one caller, and the calls of operations with their operands already found.
class ScoringRun {
 public:
  explicit ScoringRun(std::shared_ptr<const ScoringProgram> program);
  ScoringRun(const ScoringRun&) = delete;
  ScoringRun& operator=(const ScoringRun&) = delete;

  // Scores `rows` rows; `inputs` as ScoringProgram::inputs(). Allocates only when a batch is larger than
  // every batch before.
  void forward(int64_t rows, std::span<const ScoringInput> inputs);
  // An output or watched value of the last run, [rows, elements]; Static values are one row of stride 0.
  ConstRows<float> value(int node) const;

 private:
  // Where an operand lies that moves with the batch or the tile.
  struct Moving {
    enum class Kind : uint8_t { Values, Ids, Batch } kind;
    bool is_local;  // its rows are those of the tile; otherwise all of them are addressed
    int source;     // Values, Ids: the input. Batch: the root
    int operand;    // index into operands_ (Values, Batch) or ids_; -1: the output of the call
    int call;
    int64_t offset;
  };
  struct PreparedCall {
    const Op* op;
    Call<float> call;
  };
  struct PreparedPass {
    const Pass* pass;
    std::vector<PreparedCall> calls;
    std::vector<Moving> moving;
  };

  void prepare(const Pass& pass);
  void prepare_operand(PreparedPass& prepared, const Node& node, size_t input);
  void prepare_output(PreparedPass& prepared, const Node& node);
  // Storage that never moves; null data where it does.
  Rows<float> resting(const Pass& pass, const Node& node, bool is_matrix);
  void run_pass(PreparedPass& prepared);
  void run_tile(PreparedPass& prepared, int64_t first_row, int64_t rows, int64_t branch);
  void build_route(const Node& node);
  void make_buffers();

  std::shared_ptr<const ScoringProgram> program_;
  const Plan& plan_;
  Run run_;
  std::span<const ScoringInput> batch_;
  Aligned<float> tile_;
  std::vector<Aligned<float>> values_;  // by root: whole-batch buffers
  std::vector<ConstRows<float>> operands_;
  std::vector<Ids> ids_;
  std::vector<PreparedPass> passes_;            // by index of the plan's
  std::vector<std::unique_ptr<Route>> routes_;  // by node
};

}  // namespace gatewise

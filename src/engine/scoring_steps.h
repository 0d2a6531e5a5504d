// The calls of a scoring program with their operands found beforehand, and the memory they work in; internal
// to the engine.
#pragma once

#include "engine/scoring_program.h"

namespace gatewise {

class ScoringSteps {
 public:
  // For batches of one row every value has a place of its own, side by side, and products of the same numbers
  // are one; for other batches values of a tile share memory as the plan says.
  ScoringSteps(const ScoringProgram& program, bool is_one_row);
  ScoringSteps(const ScoringSteps&) = delete;
  ScoringSteps& operator=(const ScoringSteps&) = delete;

  // As ScoringRun.
  void call_ahead() const;
  void forward(int64_t rows, std::span<const ScoringInput> inputs);
  ConstRows<float> value(int node) const;
  ConstRows<float> output(size_t index) const { return outputs_[index]; }

 private:
  // Where an operand lies that moves with the batch or the tile.
  struct Moving {
    enum class Kind : uint8_t { Values, Ids, Batch } kind;
    bool is_local;  // its rows are those of the tile; otherwise all of them are addressed
    int source;     // Values, Ids: the input. Batch: the root
    int64_t offset = 0;
    ConstRows<float>* operand = nullptr;  // what is set, the one that is there
    Ids* ids = nullptr;
    Rows<float>* output = nullptr;
    int step = -1, input = 0;  // an operand of a step that is no call
  };
  // An operation and its call, for those that have no step of their own.
  struct PreparedCall {
    const Op* op;
    Call<float> call;
  };
  struct PreparedPass {
    const Pass* pass;
    std::vector<kernels::RowStep> steps;
    std::vector<PreparedCall*> calls;  // of the steps that are calls
    std::vector<Moving> moving;
  };

  static void run_call(const kernels::RowStep& step);
  void place_values();
  void collect_lines();
  void prepare(size_t pass);
  void prepare_call(PreparedPass& prepared, const Node& node);
  void prepare_operand(PreparedPass& prepared, const Node& node, size_t input);
  void prepare_output(PreparedPass& prepared, const Node& node);
  // Steps that are no calls; of batches of one row only.
  void prepare_product(PreparedPass& prepared, const ScoringProgram::RowUnit& unit);
  bool prepare_step(PreparedPass& prepared, const Node& node);
  void add_step(PreparedPass& prepared, const Node& node, kernels::RowStep step, size_t operands);
  // Where a value lies that does not move; null data for one that does.
  Rows<float> resting(const Pass& pass, const Node& node, bool is_matrix);
  bool moves(const Node& node) const;
  int64_t auxiliary_stride(const Node& node) const;
  void run_pass(PreparedPass& prepared);
  void run_tile(PreparedPass& prepared, int64_t first_row, int64_t rows, int64_t branch);
  void move(PreparedPass& prepared, int64_t first_row);
  void build_route(const Node& node);
  void make_buffers();
  void find_outputs();

  const ScoringProgram& program_;
  const Plan& plan_;
  const bool is_one_row_;
  bool gives_inputs_ = false;  // an output is an input, which moves with every batch
  Run run_;
  std::span<const ScoringInput> batch_;
  Aligned<float> memory_;  // of a tile, or of all values of a row
  // One row: into memory_, by root and by node; -1 for a buffer of routed rows.
  std::vector<int64_t> place_of_root_, place_of_auxiliary_;
  std::vector<Aligned<float>> values_;  // by root: whole-batch buffers
  std::vector<ConstRows<float>> operands_;
  std::vector<Ids> ids_;
  std::vector<PreparedCall> calls_;
  std::vector<float*> product_outputs_;
  std::vector<PreparedPass> passes_;            // by index of the plan's
  std::vector<ConstRows<float>> outputs_;       // as Graph::outputs()
  std::vector<std::unique_ptr<Route>> routes_;  // by node
  std::vector<const char*> lines_;              // of the cache, that a pass over one row is sure to need
};

}  // namespace gatewise

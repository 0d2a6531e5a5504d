// A graph that scores many rows which share part of their inputs: the divided graph (context_split.h),
// planned once for any number of threads. Parameters stay where the model has them, but for the rows of
// divided weights; products have panels of their own, so a division takes about as much memory as the dense
// parameters of the model, and no copy of its embedding tables.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/scoring_program.h"
#include "scoring/context_split.h"

namespace gatewise {

class ContextProgram {
 public:
  // The store must outlive the program and not change. Throws as split_by_context() and ScoringProgram().
  ContextProgram(const Store<float>& store, const ContextMask& mask);
  ContextProgram(const ContextProgram&) = delete;  // programs point into it
  ContextProgram& operator=(const ContextProgram&) = delete;

  const Graph& context_graph() const { return *split_.context.graph; }
  const Graph& candidate_graph() const { return *split_.candidates.graph; }
  // The nodes that the context has to bring, in the order of ContextProgramRun::forward().
  const std::vector<int>& context_inputs() const { return context_inputs_; }
  // The same of the candidates. Those that is_given() are set by the run itself.
  const std::vector<int>& candidate_inputs() const { return candidates_->inputs(); }
  bool is_given(size_t candidate_input) const { return given_[candidate_input].kind != Given::Kind::No; }

 private:
  friend class ContextProgramRun;
  struct Given {
    enum class Kind : uint8_t { No, Output, Ids } kind = Kind::No;
    size_t index = 0;  // of the context's output, or of its input
  };
  // Parameters of a part of the graph: where they lie, and those that are copies.
  struct Values {
    explicit Values(const GraphPart& part) : layout(*part.graph) {}
    Layout layout;
    std::vector<Aligned<float>> copies;
  };

  static StoredGraph stored(const GraphPart& part, const Store<float>& store, Values& values);
  void find_given();

  ContextSplit split_;
  Values context_values_, candidate_values_;
  std::shared_ptr<const ScoringProgram> context_;  // null: nothing is to be computed
  std::shared_ptr<const ScoringProgram> candidates_;
  std::vector<int> context_inputs_;
  std::vector<Given> given_;  // by input of the candidates
};

// The memory of one caller.
class ContextProgramRun {
 public:
  explicit ContextProgramRun(std::shared_ptr<const ContextProgram> program);

  // Scores `rows` candidates. `context`: one row, as context_inputs(); `candidates`: as candidate_inputs(),
  // of which it sets those that are given.
  void forward(std::span<const ScoringInput> context, int64_t rows, std::span<ScoringInput> candidates);
  // Holds the outputs, in the order of the whole graph.
  const ScoringRun& candidates() const { return candidates_; }

 private:
  std::shared_ptr<const ContextProgram> program_;
  std::optional<ScoringRun> context_;
  ScoringRun candidates_;
};

}  // namespace gatewise

// Which part of encoded rows each input of a scoring program reads.
#pragma once

#include <span>
#include <vector>

#include "engine/scoring_program.h"
#include "features/encoded_data.h"
#include "features/feature_space.h"

namespace gatewise {

class InputBindings {
 public:
  // `inputs`: ScoringProgram::inputs() of the graph. `space`: what encoded rows hold; null: not known, so
  // that callers give the inputs themselves.
  InputBindings(const Graph& graph, std::span<const int> inputs, const FeatureSpace* space);

  // Where the inputs of rows [first, ...) lie, in that order. Inputs that `data` holds nothing of must be
  // left to the caller (leave_to_caller()), or Error(Data) is thrown.
  void bind(const EncodedData& data, int64_t first, std::vector<ScoringInput>& inputs) const;
  void leave_to_caller(size_t input) { bindings_[input].kind = Kind::Given; }
  // Ids of an input are less; 0 where it is no ids.
  int64_t id_limit(size_t input) const { return bindings_[input].limit; }
  // Throws Error(Data) when an id of the inputs names no row of its table, or no task.
  void check_ids(int64_t rows, std::span<const ScoringInput> inputs) const;
  // The input that names the tasks of the rows, or -1.
  int task_input() const { return task_input_; }

 private:
  enum class Kind : uint8_t { Unknown, Given, Numeric, Id, Bag, Task };
  struct Binding {
    Kind kind = Kind::Unknown;
    bool has_ids = false;
    int64_t index = 0;
    int64_t limit = 0;  // ids are less
    std::string name = {};
  };

  void add(const Graph& graph, const Node& node, const FeatureSpace* space);

  std::vector<Binding> bindings_;  // by input
  bool has_ids_ = false;
  int task_input_ = -1;
};

}  // namespace gatewise

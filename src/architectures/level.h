// One level of a mixture: experts, consumers, and which consumer may see which experts. Almost every
// architecture is made of these.
#pragma once

#include "gates/gate.h"

namespace gatewise {

// Experts that read one value, or a value each.
struct ExpertGroup {
  Var x;                           // [in] shared, or [experts, in]
  std::vector<std::string> paths;  // one per expert
  std::string task = {};           // whose own they are; empty: shared
};

// Somebody who mixes the outputs of experts by a gate: a task, or a unit of the next level.
struct Consumer {
  std::string path;       // of its gate
  Var x;                  // what its gate reads: [in]
  std::vector<int> sees;  // groups in the order of the gate's weights
  Var extra;              // [experts seen] added to the gate's weights, or empty
  std::string task = {};  // the one task it serves; empty: several, or a unit of the next level
};

struct LevelOutput {
  Var mixed;                 // [consumers, hidden]; [1, hidden] where rows have one consumer each
  std::vector<Var> weights;  // by consumer: [experts seen]; a single one where only the row's own gate runs
  Var experts;               // [experts, hidden] of all groups in order; computed only where it is read
  LevelProbe probe;
  // What consumer `index` got: [hidden].
  Var of(int64_t index) const;
};

// Builds the level. Groups that read the same value become one bank; gates of equal size one product. Sparse
// gates route rows to the experts that any consumer chose, as their option `routing` and the experts allow.
// With ids `own`, every row has the one consumer that its id names. Where consumers see equally much, be it
// the same experts or each some of its own, only that one's gate and experts run; otherwise all do, and the
// row's own result is taken.
LevelOutput build_level(const Expert& expert, const Gate& gate, const std::vector<ExpertGroup>& groups,
                        const std::vector<Consumer>& consumers, const std::string& scope, Var own = {});

// Names "<scope>experts" and declares the level's probe, which names its gates by their paths; the gates of
// rows with one consumer each have one name, the folder of their paths.
void name_level(Graph& graph, const LevelOutput& level, const std::string& scope);

}  // namespace gatewise

// Which phase each value belongs to. Row values have even phases, routed values odd ones; whatever turns rows
// into no rows (reductions, routes) ends a phase.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace gatewise {

struct Phases {
  std::vector<int> phase;      // by node: Row and Routed operations, reductions and routes; -1 otherwise
  std::vector<int> available;  // by Static node: the first phase that can read it
  int last = 0;
};

bool is_reduction(const Node& node);
bool is_route(const Node& node);

// As early as needed for reductions, otherwise as late as possible, so that values that no reduction waits
// for stay in the tile of the last phase.
Phases assign_phases(const Graph& graph, const std::vector<bool>& is_needed,
                     const std::vector<bool>& has_gradient, bool is_training);

}  // namespace gatewise

// A level's gates as those see them that they serve.
#pragma once

#include <span>

#include "features/feature_space.h"
#include "graph/probe.h"

namespace gatewise {

// One gate as one task, or whoever it serves, sees it.
struct GateView {
  size_t gate = 0;            // place in LevelProbe::gates
  std::string name;           // of the gate; "<path>/<task>" where it is that of the row's task
  std::string task;           // empty: several, or a unit of the next level
  bool is_own = false;        // part of a gate that serves the row's task, whichever that is
  std::vector<int64_t> rows;  // those of its task where every row belongs to one, otherwise all
};

inline constexpr size_t most_own_gates = 64;

// A gate of the row's task becomes one for each of the first most_own_gates tasks. `row_task` [rows], or
// empty where rows belong to no task.
std::vector<GateView> gate_views(const LevelProbe& level, const FeatureSpace& space,
                                 std::span<const uint32_t> row_task, int64_t rows);

}  // namespace gatewise

// The values that a model's probes name, on rows.
#pragma once

#include <string>
#include <vector>

#include "base/threads.h"
#include "engine/store.h"
#include "features/encoded_data.h"
#include "features/feature_space.h"

namespace gatewise {

// One gate as one task, or whoever it serves, sees it.
struct WatchedGate {
  std::string name;
  std::string task;     // empty: several, or a unit of the next level
  bool is_own = false;  // GateView::is_own
  int probe = 0;        // place in LevelProbe::gates
  bool depends_on_rows = true;
  std::vector<int> sees;
  std::vector<float> weights;  // [rows of the gate, experts seen]
  std::vector<int64_t> rows;   // of the data: those of its task where every row belongs to one

  int64_t experts() const { return static_cast<int64_t>(sees.size()); }
};

struct WatchedLevel {
  std::string name;
  std::vector<ExpertProbe> experts;
  int64_t hidden = 0;
  std::vector<float> outputs;  // [rows, experts, hidden]
  double low = 0, high = 0;    // of a bounded activation (tanh, sigmoid); equal: there is none
  std::vector<WatchedGate> gates;
  size_t tasks_left_out = 0;  // that have no gate here for their number

  const float* output(int64_t row, int64_t expert) const {
    return outputs.data() + (row * static_cast<int64_t>(experts.size()) + expert) * hidden;
  }
};

// A model's levels on the rows, as it computes them when it scores. A gate of rows that belong to one task
// each becomes one gate for each of the first 64 tasks. None for a model without experts.
std::vector<WatchedLevel> watch(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                                const EncodedData& data, Pool& pool);

// Numbers a row that watch() holds.
int64_t watched_width(const Graph& graph);

}  // namespace gatewise

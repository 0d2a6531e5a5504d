#include "training/gate_views.h"

#include <algorithm>
#include <numeric>

namespace gatewise {

std::vector<GateView> gate_views(const LevelProbe& level, const FeatureSpace& space,
                                 std::span<const uint32_t> row_task, int64_t rows) {
  const std::vector<TaskSpace>& tasks = space.tasks;
  std::vector<std::vector<int64_t>> of_task(tasks.size());
  for (size_t row = 0; row < row_task.size(); ++row)
    of_task[row_task[row]].push_back(static_cast<int64_t>(row));
  std::vector<int64_t> all(rows);
  std::iota(all.begin(), all.end(), int64_t{0});
  std::vector<GateView> views;
  for (size_t index = 0; index < level.gates.size(); ++index) {
    const GateProbe& gate = level.gates[index];
    if (gate.task == own_task) {
      for (size_t task = 0; task < std::min(tasks.size(), most_own_gates); ++task)
        views.push_back({index, gate.path + "/" + tasks[task].name, tasks[task].name, true, of_task[task]});
      continue;
    }
    const auto task = std::find_if(tasks.begin(), tasks.end(),
                                   [&](const TaskSpace& known) { return known.name == gate.task; });
    const bool has_rows = !row_task.empty() && task != tasks.end();
    views.push_back({index, gate.path, gate.task, false, has_rows ? of_task[task - tasks.begin()] : all});
  }
  return views;
}

}  // namespace gatewise

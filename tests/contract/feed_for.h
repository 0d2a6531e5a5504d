// Rows for the graphs of whole models.
#pragma once

#include "tests/engine/graph_run.h"
#include "tests/training/sample_data.h"
#include "training/model.h"

namespace gatewise {

inline const std::vector<TaskSpace> mixed_tasks{
    make_task("click", "binary"), make_task("amount", "regression"), make_task("grade", "multiclass", 3)};
inline const std::vector<TaskSpace> binary_tasks{make_task("click", "binary"), make_task("like", "binary"),
                                                 make_task("buy", "binary")};

// One task of each kind where the architecture takes them; chains of events take binary tasks only.
inline std::vector<TaskSpace> tasks_for(const std::string& architecture) {
  return architecture == "esmm" || architecture == "aitm" ? binary_tasks : mixed_tasks;
}

// The task of a row in the feeds of rows of one task: neither in order nor alike often.
inline int64_t task_of_row(const FeatureSpace& space, int64_t row) {
  return (2 * row + row / 3) % static_cast<int64_t>(space.tasks.size());
}

// A label that fits the kind of its task.
inline double label_for(const FeatureSpace& space, int64_t row, int64_t task) {
  const std::string& kind = space.tasks[task].kind;
  if (kind == "regression") return 0.25 * static_cast<double>(row + task);
  // Class numbers are cut to integers; off the edges, differences see that they have no gradient.
  return static_cast<double>((row + task) % 2) + (kind == "multiclass" ? 0.25 : 0);
}

// Rows for a graph of build_graph(); ids cycle through their tables, labels fit their kinds.
inline Feed feed_for(const Graph& graph, const FeatureSpace& space, int64_t rows = 5) {
  Feed feed;
  feed.rows = rows;
  const auto tasks = static_cast<int64_t>(space.tasks.size());
  for (const Node& node : graph.nodes()) {
    if (node.leaf == Leaf::Ids) {
      IdFeed& ids = feed.ids[node.id];
      if (node.name.starts_with("bags/")) ids.offsets.push_back(0);
      for (int64_t row = 0; row < rows; ++row) {
        const int64_t count = node.name.starts_with("bags/") ? row % 3 : 1;
        const bool is_task = node.name == "row_task";
        for (int64_t i = 0; i < count; ++i)
          ids.ids.push_back(static_cast<uint32_t>(is_task ? task_of_row(space, row) : (row + 2 * i) % 6));
        if (!ids.offsets.empty()) ids.offsets.push_back(static_cast<int64_t>(ids.ids.size()));
      }
    }
    if (node.leaf != Leaf::Input || node.name != "labels") continue;
    for (int64_t row = 0; row < rows; ++row) {
      if (space.has_own_labels()) {
        feed.inputs[node.id].push_back(label_for(space, row, task_of_row(space, row)));
        continue;
      }
      for (int64_t task = 0; task < tasks; ++task)
        feed.inputs[node.id].push_back(label_for(space, row, task));
    }
  }
  feed.fill(graph, -1, 1);
  return feed;
}

}  // namespace gatewise

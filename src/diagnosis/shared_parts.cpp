#include "diagnosis/shared_parts.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "training/task_gradients.h"

namespace gatewise {
namespace {

constexpr size_t rows_of_each_task = 64;

// The first rows with a label of each task.
std::vector<int64_t> labelled_rows(const FeatureSpace& space, const EncodedData& data) {
  std::set<int64_t> rows;
  for (size_t task = 0; task < space.tasks.size(); ++task) {
    size_t count = 0;
    for (int64_t row = 0; row < data.rows && count < rows_of_each_task; ++row) {
      const bool is_own = data.row_task.empty() || data.row_task[row] == task;
      const int64_t place = data.row_task.empty() ? row * data.tasks + static_cast<int64_t>(task) : row;
      if (!is_own || std::isnan(data.labels[place])) continue;
      rows.insert(row);
      ++count;
    }
  }
  return {rows.begin(), rows.end()};
}

bool has_table(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(),
                     [](const Node& node) { return node.leaf == Leaf::Table; });
}

// Their gradients are not taken, so that who would move them is not seen.
bool has_frozen_parameters(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(),
                     [](const Node& node) { return node.leaf == Leaf::Parameter && !node.is_trainable; });
}

}  // namespace

SharedParts shared_parts(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                         const EncodedData& rows, Pool& pool) {
  if (space.tasks.size() < 2) return SharedParts::Nothing;
  if (!graph.penalties().empty() || has_frozen_parameters(graph) || rows.labels.empty() ||
      !TaskGradients::fits(store, space))
    return SharedParts::Parameters;
  const std::vector<int64_t> chosen = labelled_rows(space, rows);
  if (chosen.size() < 2) return SharedParts::Parameters;
  // Only what is 0 counts, whatever losses are divided by.
  TaskGradients gradients(graph, store, space, pool, static_cast<int64_t>(chosen.size()), "present");
  const std::vector<Aligned<float>> of_task = gradients.of(rows, chosen, 0);
  const auto known = std::count_if(of_task.begin(), of_task.end(),
                                   [](const Aligned<float>& gradient) { return gradient.size() > 0; });
  if (known < 2) return SharedParts::Parameters;
  for (const GradientBlock& block : gradient_blocks(store.layout())) {
    const auto moved = std::count_if(of_task.begin(), of_task.end(), [&](const Aligned<float>& gradient) {
      return gradient.size() > 0 && squared_norm(block, gradient.data()) > 0;
    });
    if (moved > 1) return SharedParts::Parameters;
  }
  return has_table(graph) ? SharedParts::Embeddings : SharedParts::Nothing;
}

}  // namespace gatewise

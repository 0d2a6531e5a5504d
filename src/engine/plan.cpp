#include "engine/plan.h"

#include "base/error.h"
#include "engine/planner.h"

namespace gatewise {
namespace {

constexpr int64_t pack_from_elements = 32 * 1024;

void require_gradient_path(const Plan& plan) {
  for (const LossTerm& loss : plan.graph->losses()) {
    if (plan.has_gradient[loss.node]) return;
  }
  for (const Penalty& penalty : plan.graph->penalties()) {
    if (plan.has_gradient[penalty.node]) return;
  }
  command_error("training: no trainable parameter influences any loss; unfreeze parameters or add a task");
}

void choose_packing(Plan& plan) {
  for (const Node& node : plan.graph->nodes()) {
    if (!plan.is_needed[node.id] || node.leaf != Leaf::None || node.signature.domain == Domain::Static)
      continue;
    if (node.inputs.size() < 2 || !node.op->reads_matrix(1)) continue;
    const Node& matrix = plan.graph->node(node.inputs[1]);
    // A step uses a branch's matrix for few rows: copying all of them takes longer than it saves.
    if (plan.options.is_training && node.signature.domain == Domain::Routed) continue;
    // Panels are made before the step; matrices that the graph itself computes are not known by then.
    if (matrix.leaf != Leaf::Parameter) continue;
    if (matrix.signature.shape[-2] * matrix.signature.shape.last() >= pack_from_elements) {
      plan.packed.push_back(node.id);
    }
    if (plan.has_gradient[node.id] && plan.has_gradient[node.inputs[0]])
      plan.packed_transposed.push_back(node.id);
  }
}

}  // namespace

void find_needed(Plan& plan) {
  const Graph& graph = *plan.graph;
  plan.is_needed.assign(graph.nodes().size(), false);
  for (const auto& [name, node] : graph.outputs()) plan.is_needed[node] = true;
  for (const int node : plan.options.watched) plan.is_needed[node] = true;
  for (const int node : plan.options.watched_gradients) plan.is_needed[node] = true;
  if (plan.options.is_training) {
    for (const LossTerm& loss : graph.losses()) plan.is_needed[loss.node] = true;
    for (const Penalty& penalty : graph.penalties()) plan.is_needed[penalty.node] = true;
    for (const StateUpdate& update : graph.updates())
      plan.is_needed[update.value] = plan.is_needed[update.state] = true;
  }
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    if (!plan.is_needed[node->id]) continue;
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      if (node->op->uses_input(static_cast<int>(i), plan.options.is_training))
        plan.is_needed[node->inputs[i]] = true;
    }
  }
}

void find_gradients(Plan& plan) {
  const Graph& graph = *plan.graph;
  const size_t count = graph.nodes().size();
  plan.has_gradient.assign(count, false);
  if (!plan.options.is_training) return;
  std::vector<bool> depends(count, false), influences(count, false);
  for (const int node : plan.options.watched_gradients) depends[node] = true;
  std::vector<bool> is_chosen(count, plan.options.differentiated.empty());
  for (const int node : plan.options.differentiated) is_chosen[node] = true;
  const auto passes_gradient = [&](const Node& node, size_t input) {
    const int index = static_cast<int>(input);
    return node.op->has_gradient(index) && node.op->uses_input(index, true);
  };
  for (const Node& node : graph.nodes()) {
    if (!plan.is_needed[node.id]) continue;
    if (node.leaf == Leaf::Parameter || node.leaf == Leaf::Table)
      depends[node.id] = node.is_trainable && is_chosen[node.id];
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (depends[node.inputs[i]] && passes_gradient(node, i)) depends[node.id] = true;
    }
  }
  for (const LossTerm& loss : graph.losses()) influences[loss.node] = true;
  for (const Penalty& penalty : graph.penalties()) influences[penalty.node] = true;
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    if (!influences[node->id]) continue;
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      if (passes_gradient(*node, i)) influences[node->inputs[i]] = true;
    }
  }
  for (size_t i = 0; i < count; ++i) plan.has_gradient[i] = plan.is_needed[i] && depends[i] && influences[i];
}

void choose_tiles(Plan& plan) {
  int64_t most = 1;
  for (const Pass& pass : plan.passes) most = std::max(most, pass.row_elements);
  plan.tile_rows = plan.options.tile_rows;
  // 128 rows keep small models in the second-level cache; models that do not fit anyway gain from longer
  // tiles, which touch the gradients of large weights less often.
  if (plan.tile_rows == 0) plan.tile_rows = most * 128 * 4 > 4 * 1024 * 1024 ? 256 : 128;
  plan.lanes = plan.options.lanes;
  if (plan.lanes == 0) {
    const int64_t bytes = plan.layout->arena_size * 4;
    const int64_t by_size = bytes <= 256 * 1024 ? 8 : bytes <= 2 * 1024 * 1024 ? 4 : 2;
    const int64_t tiles = (plan.options.batch_rows + plan.tile_rows - 1) / plan.tile_rows;
    plan.lanes = std::max<int64_t>(1, std::min(by_size, tiles));
  }
}

Plan::Plan(const Graph& graph_, const Layout& layout_, PlanOptions options_)
    : graph(&graph_), layout(&layout_), options(std::move(options_)) {
  for (const int node : options.differentiated) {
    if (graph_.node(node).signature.domain != Domain::Static) options.watched_gradients.push_back(node);
  }
  find_needed(*this);
  find_gradients(*this);
  if (options.is_training) require_gradient_path(*this);
  const Phases phases = assign_phases(graph_, is_needed, has_gradient, options.is_training);
  phase = phases.phase;
  place_values(*this);
  find_masked(*this);
  build_passes(*this, phases);
  choose_tiles(*this);
  choose_packing(*this);
}

int64_t Plan::tile_bytes(int64_t element_size) const {
  int64_t most = 0;
  for (const Pass& pass : passes) most = std::max(most, pass.row_elements);
  return most * tile_rows * element_size;
}

int64_t Plan::batch_bytes(int64_t rows, int64_t element_size) const {
  int64_t elements = 0;
  for (const Root& root : roots) {
    elements +=
        (root.is_batch ? root.stride : 0) + (root.has_gradient && root.is_gradient_batch ? root.stride : 0);
  }
  return elements * rows * element_size;
}

}  // namespace gatewise

// Which fused ReLUs leave their gradient's mask to the one reader of their output.
#include "engine/planner.h"

namespace gatewise {
namespace {

struct Reader {
  int node = -1, input = -1;
};

// By node, every operation that adds to its gradient.
std::vector<std::vector<Reader>> gradient_writers(const Plan& plan) {
  std::vector<std::vector<Reader>> writers(plan.graph->nodes().size());
  for (const Node& node : plan.graph->nodes()) {
    if (!plan.has_gradient[node.id] || node.leaf != Leaf::None) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const int input = static_cast<int>(i);
      if (node.op->has_gradient(input) && node.op->uses_input(input, true))
        writers[node.inputs[i]].push_back({node.id, input});
    }
  }
  // Losses and penalties start gradients themselves.
  for (const LossTerm& loss : plan.graph->losses()) writers[loss.node].push_back({});
  for (const Penalty& penalty : plan.graph->penalties()) writers[penalty.node].push_back({});
  return writers;
}

}  // namespace

int whole_behind_views(const Plan& plan, int node) {
  const Graph& graph = *plan.graph;
  while (graph.node(node).op && is_view_of_root(plan, graph.node(node))) {
    const int input = graph.node(node).inputs[0];
    if (graph.node(input).signature.shape.elements() != graph.node(node).signature.shape.elements()) break;
    node = input;
  }
  return node;
}

void find_masked(Plan& plan) {
  const Graph& graph = *plan.graph;
  plan.is_masked.assign(graph.nodes().size(), false);
  const std::vector<std::vector<Reader>> writers = gradient_writers(plan);
  for (const Node& node : graph.nodes()) {
    if (!node.op || !plan.has_gradient[node.id] || !node.op->masks_gradient()) continue;
    int value = node.id;
    Reader reader;
    while (writers[value].size() == 1) {
      reader = writers[value][0];
      if (reader.node < 0 || whole_behind_views(plan, reader.node) != node.id) break;
      value = reader.node;
    }
    plan.is_masked[node.id] =
        writers[value].size() == 1 && reader.node >= 0 && graph.node(reader.node).op->can_mask(reader.input);
  }
}

}  // namespace gatewise

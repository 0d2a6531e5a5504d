#include "engine/phases.h"

#include <algorithm>

namespace gatewise {
namespace {

int round_to_parity(int phase, bool is_odd) { return phase + ((phase % 2 != 0) != is_odd ? 1 : 0); }

// The earliest phase of a Row, Routed, reducing or routing operation.
int earliest(const Graph& graph, const Node& node, const Phases& phases, bool is_training) {
  bool is_routed = node.signature.domain == Domain::Routed;
  int phase = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.op->uses_input(static_cast<int>(i), is_training)) continue;
    const Node& input = graph.node(node.inputs[i]);
    if (input.signature.domain == Domain::Static) {
      phase = std::max(phase, phases.available[input.id]);
    } else if (input.leaf == Leaf::None) {
      const bool leaves_route =
          input.signature.domain == Domain::Routed && node.signature.domain == Domain::Row;
      phase = std::max(phase, phases.phase[input.id] + (leaves_route ? 1 : 0));
      if (input.signature.domain == Domain::Routed && node.signature.domain == Domain::Static)
        is_routed = true;
    }
  }
  return round_to_parity(phase, is_routed);
}

}  // namespace

bool is_reduction(const Node& node) { return dynamic_cast<const Reduction*>(node.op.get()) != nullptr; }

bool is_route(const Node& node) { return node.op != nullptr && node.op->name() == std::string("route"); }

Phases assign_phases(const Graph& graph, const std::vector<bool>& is_needed,
                     const std::vector<bool>& has_gradient, bool is_training) {
  const size_t count = graph.nodes().size();
  Phases phases;
  phases.phase.assign(count, -1);
  phases.available.assign(count, 0);
  for (const Node& node : graph.nodes()) {
    if (!is_needed[node.id] || node.leaf != Leaf::None) continue;
    const bool ends_phase = is_reduction(node) || is_route(node);
    if (node.signature.domain == Domain::Static && !ends_phase) {
      for (const int input : node.inputs) {
        phases.available[node.id] = std::max(phases.available[node.id], phases.available[input]);
      }
      continue;
    }
    phases.phase[node.id] = earliest(graph, node, phases, is_training);
    phases.last = std::max(phases.last, phases.phase[node.id]);
    if (ends_phase) {
      phases.available[node.id] = phases.phase[node.id] + 1;
      if (has_gradient[node.id])
        phases.last = std::max(phases.last, round_to_parity(phases.phase[node.id] + 1, false));
    }
  }
  phases.last = round_to_parity(phases.last, false);
  std::vector<int> latest(count, phases.last);
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    if (!is_needed[node->id] || node->leaf != Leaf::None) continue;
    const bool is_static = node->signature.domain == Domain::Static;
    if (is_static && phases.phase[node->id] < 0) continue;
    int& own = phases.phase[node->id];
    if (!is_static) {
      const bool is_odd = node->signature.domain == Domain::Routed;
      own = latest[node->id] - ((latest[node->id] % 2 != 0) != is_odd ? 1 : 0);
    }
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      if (!node->op->uses_input(static_cast<int>(i), is_training)) continue;
      const Node& input = graph.node(node->inputs[i]);
      const bool leaves_route =
          input.signature.domain == Domain::Routed && node->signature.domain == Domain::Row;
      latest[input.id] = std::min(latest[input.id], own - (leaves_route ? 1 : 0));
    }
  }
  return phases;
}

}  // namespace gatewise

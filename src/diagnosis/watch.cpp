#include "diagnosis/watch.h"

#include <algorithm>

#include "training/batches.h"
#include "training/gate_views.h"

namespace gatewise {
namespace {

constexpr int64_t rows_at_once = 8192;

// The operation that made the numbers of a value, views and joins looked through.
std::string maker_of(const Graph& graph, int id) {
  const Node* node = &graph.node(id);
  while (node->op && (node->op->is_view() || node->op->name() == "concatenate" ||
                      node->op->name() == "reshape" || node->op->name() == "slice")) {
    node = &graph.node(node->inputs[0]);
  }
  return node->op ? node->op->name() : "";
}

void append(const ConstRows<float>& values, int64_t rows, int64_t width, std::vector<float>& into) {
  for (int64_t row = 0; row < rows; ++row) {
    const float* from = values.data + row * values.stride;
    into.insert(into.end(), from, from + width);
  }
}

// The gates of a level, with all their rows; their weights are still to come.
std::vector<WatchedGate> gates_of(const Graph& graph, const LevelProbe& level, const FeatureSpace& space,
                                  const EncodedData& data) {
  std::vector<WatchedGate> gates;
  for (GateView& view : gate_views(level, space, data.row_task, data.rows)) {
    const GateProbe& gate = level.gates[view.gate];
    const bool depends_on_rows = graph.node(gate.weights).signature.domain != Domain::Static;
    gates.push_back({std::move(view.name),
                     std::move(view.task),
                     view.is_own,
                     static_cast<int>(view.gate),
                     depends_on_rows,
                     gate.sees,
                     {},
                     std::move(view.rows)});
  }
  return gates;
}

}  // namespace

int64_t watched_width(const Graph& graph) {
  int64_t width = 0;
  for (const LevelProbe& level : graph.probes()) {
    width += graph.node(level.outputs).signature.shape.elements();
    for (const GateProbe& gate : level.gates) width += static_cast<int64_t>(gate.sees.size());
  }
  return width;
}

std::vector<WatchedLevel> watch(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                                const EncodedData& data, Pool& pool) {
  PlanOptions options;
  options.is_training = false;
  options.batch_rows = rows_at_once;
  std::vector<WatchedLevel> levels;
  for (const LevelProbe& probe : graph.probes()) {
    const int64_t width = graph.node(probe.outputs).signature.shape.elements();
    WatchedLevel level{
        probe.name, probe.experts, width / static_cast<int64_t>(probe.experts.size()), {}, 0, 0, {}, 0};
    const std::string maker = maker_of(graph, probe.outputs);
    if (maker == "tanh") level.low = -1;
    if (maker == "tanh" || maker == "sigmoid") level.high = 1;
    level.gates = gates_of(graph, probe, space, data);
    const bool has_own = std::any_of(probe.gates.begin(), probe.gates.end(),
                                     [](const GateProbe& gate) { return gate.task == own_task; });
    if (has_own) level.tasks_left_out = space.tasks.size() - std::min(space.tasks.size(), most_own_gates);
    options.watched.push_back(probe.outputs);
    for (const GateProbe& gate : probe.gates) options.watched.push_back(gate.weights);
    levels.push_back(std::move(level));
  }
  Program<float> program(store, pool, options);
  BatchLoader loader(graph, space);
  std::vector<std::vector<std::vector<float>>> weights;  // by level and gate of the graph: [rows, seen]
  for (const LevelProbe& probe : graph.probes()) weights.emplace_back(probe.gates.size());
  for (int64_t first = 0; first < data.rows; first += rows_at_once) {
    const int64_t rows = std::min(rows_at_once, data.rows - first);
    program.forward(loader.view(data, first, rows), Run{});
    for (size_t i = 0; i < levels.size(); ++i) {
      const LevelProbe& probe = graph.probes()[i];
      append(program.value(probe.outputs), rows, graph.node(probe.outputs).signature.shape.elements(),
             levels[i].outputs);
      for (size_t gate = 0; gate < probe.gates.size(); ++gate) {
        append(program.value(probe.gates[gate].weights), rows,
               static_cast<int64_t>(probe.gates[gate].sees.size()), weights[i][gate]);
      }
    }
  }
  for (size_t i = 0; i < levels.size(); ++i) {
    for (WatchedGate& gate : levels[i].gates) {
      const std::vector<float>& all = weights[i][gate.probe];
      for (const int64_t row : gate.rows) {
        const auto from = all.begin() + row * gate.experts();
        gate.weights.insert(gate.weights.end(), from, from + gate.experts());
      }
    }
  }
  return levels;
}

}  // namespace gatewise

#include "diagnosis/intervention.h"

#include <algorithm>

#include "graph/ops.h"

namespace gatewise {
namespace {

constexpr int64_t rows_per_run = 8192;

// Whether weights come out of an operation whose results are at least 0, so that shares of them mean
// something.
bool is_share(const Graph& graph, int id) {
  static const std::set<std::string> makers{"softmax", "masked_softmax", "sigmoid",
                                            "share",   "top_k",          "binary_codes"};
  const Node& node = graph.node(id);
  if (!node.op) return false;
  if (makers.contains(node.op->name())) return true;
  // A sum of such values and a product of them, as with a mask, are at least 0 too; differences are not.
  static const std::set<std::string> passing{"reshape",  "slice",    "concatenate",
                                             "multiply", "own_rows", "mix"};
  if (!passing.contains(node.op->name())) return false;
  return std::any_of(node.inputs.begin(), node.inputs.end(),
                     [&](int input) { return is_share(graph, input); });
}

Var scaled(Var x, Var factor) { return multiply(x, reshape(factor, Shape{})); }

}  // namespace

Intervention::Intervention(const Graph& graph, const Store<float>& store, const FeatureSpace& space,
                           Pool& pool)
    : levels_(graph.probes()), space_(space) {
  std::map<int, std::pair<size_t, std::vector<size_t>>> readers;  // value -> level, gates
  for (size_t level = 0; level < levels_.size(); ++level) {
    const std::vector<GateProbe>& gates = levels_[level].gates;
    switches_.emplace_back(gates.size());
    for (size_t gate = 0; gate < gates.size(); ++gate) {
      auto& [of_level, members] = readers[gates[gate].mixed];
      of_level = level;
      members.push_back(gate);
    }
  }
  std::map<int, Graph::Replacement> replacements;
  for (const auto& [node, reader] : readers) {
    replacements[node] = [this, reader = reader](Var weights) {
      return rebuilt(weights, reader.first, reader.second);
    };
  }
  graph_ = graph.with_replaced(replacements);
  store_ = std::make_unique<Store<float>>(*graph_);
  for (const std::string& path : store.paths()) store_->set(path, store.get(path));
  loader_ = std::make_unique<BatchLoader>(*graph_, space);
  PlanOptions options;
  options.is_training = false;
  options.batch_rows = rows_per_run;
  program_ = std::make_unique<Program<float>>(*store_, pool, options);
  reset();
}

// weights [gates, experts], or [experts] of a single gate.
Var Intervention::rebuilt(Var weights, size_t level, const std::vector<size_t>& gates) {
  const Shape shape = weights.shape();
  const int64_t experts = shape.last(), rows = shape.outer();
  const bool fills_up = is_share(weights.graph(), weights.node());
  const Var table = reshape(weights, Shape{rows, experts});
  std::vector<Var> made;
  for (int64_t row = 0; row < rows; ++row) {
    const auto gate = std::find_if(gates.begin(), gates.end(), [&](size_t candidate) {
      return levels_[level].gates[candidate].row == row;
    });
    const Var own = reshape(slice(table, 0, row, row + 1), Shape{experts});
    made.push_back(
        reshape(gate == gates.end() ? own : switched(own, level, *gate, fills_up), Shape{1, experts}));
  }
  return reshape(concatenate(made, 0), shape);
}

Var Intervention::switched(Var weights, size_t level, size_t gate, bool fills_up) {
  Graph& graph = weights.graph();
  const int64_t experts = weights.shape().last();
  const std::string name = "intervention/" + std::to_string(level) + "/" + std::to_string(gate);
  const Var keep = graph.input(name + "/keep", Shape{experts});
  const Var uniform = graph.input(name + "/uniform", Shape{experts});
  switches_[level][gate].keep = keep.node();
  switches_[level][gate].uniform = uniform.node();
  const Var kept = multiply(weights, keep), total = sum(weights);
  const Var left = fills_up ? scaled(share(kept), total) : kept;
  return add(left, scaled(uniform, total));
}

void Intervention::reset() {
  for (size_t level = 0; level < levels_.size(); ++level) {
    for (size_t gate = 0; gate < levels_[level].gates.size(); ++gate) {
      switches_[level][gate].keeps.assign(levels_[level].gates[gate].sees.size(), 1);
      switches_[level][gate].uniforms.assign(levels_[level].gates[gate].sees.size(), 0);
    }
  }
}

void Intervention::remove(size_t level, const std::set<int>& experts) {
  for (size_t gate = 0; gate < levels_[level].gates.size(); ++gate) {
    const std::vector<int>& sees = levels_[level].gates[gate].sees;
    for (size_t i = 0; i < sees.size(); ++i) {
      if (experts.contains(sees[i])) switches_[level][gate].keeps[i] = 0;
    }
  }
}

void Intervention::make_uniform(size_t level, size_t gate) {
  Switch& of_gate = switches_[level][gate];
  std::fill(of_gate.keeps.begin(), of_gate.keeps.end(), 0.0F);
  std::fill(of_gate.uniforms.begin(), of_gate.uniforms.end(),
            1.0F / static_cast<float>(of_gate.uniforms.size()));
}

std::vector<ValueList> Intervention::predict(const EncodedData& data) {
  program_->parameters_changed();
  std::vector<ValueList> predictions = no_predictions(space_);
  for (int64_t first = 0; first < data.rows; first += rows_per_run) {
    const int64_t rows = std::min(rows_per_run, data.rows - first);
    Batch<float> batch = loader_->view(data, first, rows);
    for (const auto& of_level : switches_) {
      for (const Switch& gate : of_level) {
        // One row for all.
        batch.inputs[gate.keep] = {gate.keeps.data(), 0};
        batch.inputs[gate.uniform] = {gate.uniforms.data(), 0};
      }
    }
    program_->forward(batch, Run{});
    append_predictions(*graph_, *program_, space_, data, first, rows, predictions);
  }
  return predictions;
}

}  // namespace gatewise

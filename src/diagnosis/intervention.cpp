#include "diagnosis/intervention.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/ops.h"

namespace gatewise {
namespace {

constexpr int64_t rows_per_run = 8192;

// Added to what experts compete by: far below any logit, and still finite.
constexpr float hopeless = -1e30F;

Var scaled(Var x, Var factor) { return multiply(x, reshape(factor, Shape{})); }

}  // namespace

Intervention::Intervention(const Graph& graph, const Store<float>& store, const FeatureSpace& space,
                           Pool& pool)
    : levels_(graph.probes()), space_(space) {
  std::map<int, std::pair<size_t, std::vector<int>>> readers;  // value -> level, gates by row
  for (size_t level = 0; level < levels_.size(); ++level) {
    const std::vector<GateProbe>& gates = levels_[level].gates;
    switches_.emplace_back(gates.size());
    for (size_t gate = 0; gate < gates.size(); ++gate) {
      auto& [of_level, members] = readers[gates[gate].mixed];
      of_level = level;
      members.resize(graph.node(gates[gate].mixed).signature.shape.outer(), -1);
      members[gates[gate].row] = static_cast<int>(gate);
    }
  }
  std::map<int, Graph::Replacement> replacements;
  for (const auto& [node, reader] : readers) {
    Origin origin{contests_, reader.first, graph.node(node).signature.shape.last()};
    trace(graph, node, reader.second, origin);
    replacements[node] = [this, reader = reader, fills_up = origin.fills_up](Var weights) {
      return rebuilt(weights, reader.first, reader.second, fills_up);
    };
  }
  // What one mixture reads and another chooses from is replaced already.
  std::erase_if(contests_, [&](const auto& contest) { return replacements.contains(contest.first); });
  for (auto& [node, contest] : contests_) {
    contest.path = fmt::format("intervention/contest_{}", node);
    replacements[node] = [&contest = contest](Var x) {
      return add(x, x.graph().parameter(contest.path, x.shape(), Initializer::zero()));
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

// From weights back to what made them; `gates` are those of the value's rows. Values that are no longer
// [gates, experts] end the way.
void Intervention::trace(const Graph& graph, int id, const std::vector<int>& gates, Origin& origin) {
  const Node& node = graph.node(id);
  const Shape& shape = node.signature.shape;
  if (!node.op || shape.rank() > 2 || shape.last() != origin.experts ||
      shape.outer() != static_cast<int64_t>(gates.size()))
    return;
  const std::string name = node.op->name();
  if (name == "softmax" || name == "masked_softmax" || name == "top_k") {
    Contest& contest = origin.contests[node.inputs[0]];
    contest.level = origin.level;
    contest.experts = origin.experts;
    contest.gates.resize(gates.size(), -1);
    for (size_t row = 0; row < gates.size(); ++row) {
      if (gates[row] >= 0) contest.gates[row] = gates[row];
    }
    if (name == "masked_softmax") trace(graph, node.inputs[1], gates, origin);
    return;
  }
  if (name == "share" || name == "binary_codes") origin.fills_up = true;
  trace_inputs(graph, node, gates, origin);
}

// Through operations that leave every weight with its expert.
void Intervention::trace_inputs(const Graph& graph, const Node& node, const std::vector<int>& gates,
                                Origin& origin) {
  const std::string name = node.op->name();
  const auto rows_of = [&](int input) { return graph.node(input).signature.shape.outer(); };
  if (name == "slice" || name == "own_rows") {
    // Of a slice its own rows are switched; of the row's own one, whichever it is.
    std::vector<int> all(rows_of(node.inputs[0]), name == "slice" || gates.size() > 1 ? -1 : gates[0]);
    const int64_t first = name == "slice" ? node.op->attributes().value("begin", int64_t{0}) : 0;
    for (size_t row = 0; name == "slice" && row < gates.size() && first + row < all.size(); ++row)
      all[first + row] = gates[row];
    trace(graph, node.inputs[0], all, origin);
  } else if (name == "concatenate") {
    auto from = gates.begin();
    for (const int input : node.inputs) {
      if (gates.end() - from < rows_of(input)) return;
      trace(graph, input, {from, from + rows_of(input)}, origin);
      from += rows_of(input);
    }
  } else if (name == "mix") {
    // Codes of several selectors, mixed: their shape tells nothing of rows.
    origin.fills_up |=
        graph.node(node.inputs[0]).op != nullptr && graph.node(node.inputs[0]).op->name() == "binary_codes";
  } else if (name == "reshape" || name == "share" || name == "multiply") {
    for (const int input : node.inputs) trace(graph, input, gates, origin);
  }
}

// weights [gates, experts], or [experts] of a single gate.
Var Intervention::rebuilt(Var weights, size_t level, const std::vector<int>& gates, bool fills_up) {
  const Shape shape = weights.shape();
  const int64_t experts = shape.last(), rows = shape.outer();
  const Var table = reshape(weights, Shape{rows, experts});
  std::vector<Var> made;
  for (int64_t row = 0; row < rows; ++row) {
    const Var own = reshape(slice(table, 0, row, row + 1), Shape{experts});
    const Var one = gates[row] < 0 ? own : switched(own, level, static_cast<size_t>(gates[row]), fills_up);
    made.push_back(reshape(one, Shape{1, experts}));
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
      switches_[level][gate].handicaps.assign(levels_[level].gates[gate].sees.size(), 0);
    }
  }
}

void Intervention::remove(size_t level, const std::set<int>& experts) {
  for (size_t gate = 0; gate < levels_[level].gates.size(); ++gate) {
    const std::vector<int>& sees = levels_[level].gates[gate].sees;
    for (size_t i = 0; i < sees.size(); ++i) {
      if (!experts.contains(sees[i])) continue;
      switches_[level][gate].keeps[i] = 0;
      switches_[level][gate].handicaps[i] = hopeless;
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
  for (const auto& [node, contest] : contests_) {
    std::vector<float> handicaps;
    for (const int gate : contest.gates) {
      const auto& own =
          gate < 0 ? std::vector<float>(contest.experts, 0.0F) : switches_[contest.level][gate].handicaps;
      handicaps.insert(handicaps.end(), own.begin(), own.end());
    }
    store_->set(contest.path, handicaps);
  }
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

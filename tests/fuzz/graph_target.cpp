// Graphs: a description that loads is planned and scores rows, for a row alone and among others alike.
#include <cstring>

#include "base/error.h"
#include "engine/program.h"
#include "engine/scoring_program.h"
#include "graph/ops.h"
#include "tests/fuzz/sample_model.h"
#include "tests/fuzz/target.h"

namespace gatewise {
namespace {

constexpr int64_t most_elements = 1 << 18;  // of a graph that is run

int64_t elements_of(const Graph& graph) {
  int64_t total = 0;
  for (const Node& node : graph.nodes()) total += node.signature.shape.elements();
  return total;
}

// Inputs for `rows` rows: small numbers, ids that exist.
class GraphInputs {
 public:
  GraphInputs(const ScoringProgram& program, int64_t rows) {
    for (const int id : program.inputs()) {
      const Node& node = program.graph().node(id);
      const int64_t width = node.signature.shape.elements();
      std::vector<float>& values = values_.emplace_back(static_cast<size_t>(rows * width));
      for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7) - 3;
      ids_.emplace_back(static_cast<size_t>(rows), 0u);
      ScoringInput& input = list.emplace_back();
      if (node.leaf == Leaf::Input) input.values = {values.data(), width};
      if (node.leaf == Leaf::Ids) input.ids = {ids_.back().data(), 1, nullptr, nullptr};
    }
  }
  std::vector<ScoringInput> list;

 private:
  std::vector<std::vector<float>> values_;
  std::vector<std::vector<uint32_t>> ids_;
};

void score(const Graph& graph) {
  Store<float> store(graph);
  store.initialise(1);
  const auto program = std::make_shared<const ScoringProgram>(store);
  ScoringRun run(program);
  const GraphInputs inputs(*program, 3);
  run.forward(1, inputs.list);
  std::vector<std::vector<float>> first;
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const ConstRows<float> values = run.output(i);
    const int64_t width = graph.node(graph.outputs()[i].second).signature.shape.elements();
    first.emplace_back(values.data, values.data + width);
  }
  run.forward(3, inputs.list);
  for (size_t i = 0; i < first.size(); ++i) {
    const ConstRows<float> values = run.output(i);
    for (size_t k = 0; k < first[i].size(); ++k) {
      const float alone = first[i][k], among = values.data[k];
      fuzz_require(
          std::memcmp(&alone, &among, sizeof(float)) == 0 || (std::isnan(alone) && std::isnan(among)),
          fmt::format("output {} is {} for a row alone and {} among others", i, alone, among));
    }
  }
}

void plan_training(const Graph& graph) {
  if (graph.losses().empty()) return;
  const Layout layout(graph);
  const Plan plan(graph, layout, {.is_training = true});
  fuzz_require(!plan.text().empty(), "a plan says nothing");
}

void read_graph(std::string_view input) {
  const Json json = Json::parse(input, nullptr, false);
  const std::unique_ptr<Graph> graph = Graph::from_json(json);
  const Json written = graph->to_json();
  fuzz_require(Graph::from_json(written)->to_json() == written,
               "a graph does not read back as it was written");
  if (elements_of(*graph) > most_elements) return;
  try {
    plan_training(*graph);
  } catch (const Error& error) {
    if (error.fault() == Fault::Internal) throw;
  }
  score(*graph);
}

// An operation with the inputs of its first case as inputs, constants or parameters of a graph.
std::string graph_of_operation(const std::string& name) {
  const std::vector<OpCase> cases = OpRegistry::instance().make(name, Json::object())->cases();
  if (cases.empty()) return "";
  Graph graph;
  std::vector<Var> inputs;
  for (const Signature& signature : cases[0].inputs) {
    const std::string path = fmt::format("value_{}", inputs.size());
    inputs.push_back(signature.domain == Domain::Row
                         ? graph.input(path, signature.shape)
                         : graph.parameter(path, signature.shape, Initializer::uniform(1)));
  }
  graph.add_output("out", graph.apply(OpRegistry::instance().make(name, cases[0].options), inputs));
  return graph.to_json().dump();
}

std::vector<std::string> graphs() {
  static const std::vector<std::string> seeds = [] {
    const Json home = {{"type", "home"}};
    std::vector<std::string> made{SampleModel(small_mmoe()).graph->to_json().dump(),
                                  SampleModel(small_sparse()).graph->to_json().dump(),
                                  SampleModel(home).graph->to_json().dump()};
    for (const std::string& name : OpRegistry::instance().names()) {
      try {
        if (std::string graph = graph_of_operation(name); !graph.empty()) made.push_back(std::move(graph));
      } catch (const Error&) {
        // Operations over routed rows or ids stand in whole models.
      }
    }
    return made;
  }();
  return seeds;
}

std::vector<std::string> graph_words() {
  std::vector<std::string> words = OpRegistry::instance().names();
  for (const char* word :
       {"kind",       "shape",     "inputs", "attributes",   "axis",      "begin",  "end",
        "k",          "operation", "input",  "ids",          "parameter", "table",  "constant",
        "scalar",     "state",     "bank",   "side_by_side", "trainable", "values", "paths",
        "activation", "relu",      "stream", "initializer",  "scale"})
    words.push_back(word);
  return words;
}

const RegisterFuzzTarget graph_registered{"graph", {read_graph, graphs, graph_words, 1000}};

}  // namespace
}  // namespace gatewise

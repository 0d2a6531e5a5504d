// Every operation, architecture and gate as ONNX: ONNX Runtime gives what the program gives.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "exchange/onnx_export.h"
#include "tests/contract/gate_cases.h"

namespace gatewise {
namespace {

// A folder of models with what they are given and should give, judged by tools/check_onnx.py all at once.
class OnnxCases {
 public:
  explicit OnnxCases(const std::string& name) : folder_(testing::TempDir() + "gatewise_onnx_" + name) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }

  // `outputs`: values of the graph by name. Those of `zeros` have exact zeros.
  void add(const std::string& name, const Graph& graph, const FeatureSpace& space, const Feed& feed,
           OnnxOptions options, const std::vector<std::string>& zeros = {}) {
    std::vector<std::pair<std::string, int>> outputs;
    if (space.has_own_labels()) {
      outputs.emplace_back(own_output, graph.find(own_output));
    } else {
      for (const TaskSpace& task : space.tasks) outputs.emplace_back(task.name, graph.find(task.name));
    }
    const size_t predictions = outputs.size();
    for (const std::string& value : options.values) outputs.emplace_back(value, graph.find(value));
    PlanOptions plan{.is_training = false};
    for (const auto& [output, node] : outputs) plan.watched.push_back(node);
    Feed scored = feed;
    scored.run.is_training = false;
    GraphRun<float> run(graph, scored, plan);
    run.forward();
    Json json{{"inputs", inputs_of(graph, feed)}, {"outputs", Json::object()}};
    for (size_t i = 0; i < outputs.size(); ++i) {
      const auto& [output, node] = outputs[i];
      const Signature& signature = graph.node(node).signature;
      std::vector<int64_t> shape;
      if (signature.domain == Domain::Row) shape.push_back(feed.rows);
      if (i >= predictions || signature.shape.elements() > 1)
        shape.insert(shape.end(), signature.shape.sizes.begin(), signature.shape.sizes.end());
      const bool has_zeros = std::find(zeros.begin(), zeros.end(), output) != zeros.end();
      json["outputs"][output] = {
          {"shape", shape}, {"values", run.value(node)}, {"has_exact_zeros", has_zeros}};
    }
    std::ofstream(folder_ + "/" + name + ".onnx") << export_onnx(graph, run.store(), space, options);
    std::ofstream(folder_ + "/" + name + ".json") << json.dump();
  }

  void expect_agreement() const {
    const std::string root = GATEWISE_SOURCE_DIR, log = folder_ + ".log";
    const std::string command =
        root + "/.venv/bin/python " + root + "/tools/check_onnx.py " + folder_ + " > " + log + " 2>&1";
    const int status = std::system(command.c_str());
    std::ifstream stream(log);
    const std::string told{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_EQ(status, 0) << told;
    std::filesystem::remove_all(folder_);
    std::filesystem::remove(log);
  }

 private:
  static Json inputs_of(const Graph& graph, const Feed& feed) {
    Json inputs = Json::object();
    for (const Node& node : graph.nodes()) {
      if (node.leaf == Leaf::Input) {
        std::vector<int64_t> shape{feed.rows};
        shape.insert(shape.end(), node.signature.shape.sizes.begin(), node.signature.shape.sizes.end());
        inputs[node.name] = {{"type", "real"}, {"shape", shape}, {"values", feed.inputs.at(node.id)}};
      }
      if (node.leaf != Leaf::Ids) continue;
      const IdFeed& given = feed.ids.at(node.id);
      if (given.offsets.empty()) {
        inputs[node.name] = {{"type", "integer"}, {"shape", {feed.rows}}, {"values", given.ids}};
      } else {
        add_bag(inputs, node.name, given, feed.rows);
      }
    }
    return inputs;
  }

  static void add_bag(Json& inputs, const std::string& name, const IdFeed& given, int64_t rows) {
    int64_t longest = 1;
    for (int64_t row = 0; row < rows; ++row)
      longest = std::max(longest, given.offsets[row + 1] - given.offsets[row]);
    std::vector<uint32_t> ids(rows * longest, 0);
    std::vector<float> weights(rows * longest, 0);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t i = given.offsets[row]; i < given.offsets[row + 1]; ++i) {
        const int64_t place = row * longest + i - given.offsets[row];
        ids[place] = given.ids[i];
        weights[place] = given.weights.empty() ? 1 : given.weights[i];
      }
    }
    inputs[name] = {{"type", "integer"}, {"shape", {rows, longest}}, {"values", ids}};
    inputs[name + "/weights"] = {{"type", "real"}, {"shape", {rows, longest}}, {"values", weights}};
  }

  std::string folder_;
};

// Values of a level's gates, all that lie below the path "gates".
std::vector<std::string> gates_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const auto& [name, node] : graph.named_values()) {
    if (name.starts_with("gates")) names.push_back(name);
  }
  return names;
}

TEST(Onnx, AgreesOnEveryOperation) {
  OnnxCases cases("operations");
  for (const std::string& name : OpRegistry::instance().names()) {
    int number = 0;
    for (const OpCase& op_case : OpRegistry::instance().make(name, Json::object())->cases()) {
      Graph graph;
      std::vector<Var> inputs;
      for (const Signature& signature : op_case.inputs) {
        const std::string input = fmt::format("input_{}", inputs.size());
        inputs.push_back(signature.domain == Domain::Row ? graph.input(input, signature.shape)
                                                         : graph.parameter(input, signature.shape, {}));
      }
      const Var value = graph.apply(OpRegistry::instance().make(name, op_case.options), inputs);
      // Only training runs what joins the rows of a batch.
      if (dynamic_cast<const Reduction*>(graph.node(value.node()).op.get()) != nullptr) continue;
      if (name == "best_rival" || name == "softmax_cross_entropy" || name == "running_moments") continue;
      graph.name_value("y", value);
      Feed feed{.rows = 4};
      feed.fill(graph, op_case.low, op_case.high, op_case.keep_from_zero);
      cases.add(fmt::format("{}_{}", name, number++), graph, {}, feed, {.values = {"y"}});
    }
  }
  cases.expect_agreement();
}

TEST(Onnx, AgreesOnEveryArchitecture) {
  OnnxCases cases("architectures");
  for (const std::string& name : Registry<Architecture>::instance().names()) {
    FeatureSpace space = sample_space(tasks_for(name));
    for (const char* normalisation : {"none", "layer"}) {
      const Json model = {{"type", name}, {"expert", {{"units", {5, 4}}, {"normalisation", normalisation}}}};
      std::unique_ptr<Graph> graph;
      try {
        graph = build_graph(space, model);
      } catch (const Error&) {
        continue;  // has no normalised experts
      }
      for (const int64_t rows : {1, 7}) {
        cases.add(fmt::format("{}_{}_{}", name, normalisation, rows), *graph, space,
                  feed_for(*graph, space, rows), {});
      }
    }
    space = sample_space(binary_tasks);
    space.task_column = "domain";
    const auto graph = build_graph(space, {{"type", name}});
    cases.add(name + "_rows_of_one_task", *graph, space, feed_for(*graph, space, 7), {});
  }
  cases.expect_agreement();
}

TEST(Onnx, AgreesOnEveryGateWithAndWithoutRouting) {
  OnnxCases cases("gates");
  const FeatureSpace space = sample_space(binary_tasks);
  for (const GateCase& gate : all_gates()) {
    for (const char* type : {"mmoe", "cgc"}) {
      Json model = {
          {"type", type}, {"gate", gate.options}, {"expert", {{"units", {4}}}}, {"shared_experts", 5}};
      leave_out_foreign_options(model);
      if (model["type"] == "mmoe") model["experts"] = 6;
      const bool is_sparse = make_part<Gate>(gate.options, "gate", "softmax")->is_sparse();
      if (is_sparse) model["gate"]["routing"] = "routed";
      const auto graph = build_graph(space, model);
      for (const bool routes : {false, true}) {
        // A single row leaves most experts without rows.
        for (const int64_t rows : {1, 9}) {
          const std::vector<std::string> gates = gates_of(*graph);
          cases.add(fmt::format("{}_{}_{}_{}", gate.name, type, routes ? "routed" : "dense", rows), *graph,
                    space, feed_for(*graph, space, rows), {.routes = routes, .values = gates},
                    is_sparse ? gates : std::vector<std::string>());
        }
      }
    }
  }
  cases.expect_agreement();
}

TEST(Onnx, AgreesOnExpertsWhoseBatchNormIsRoutedInScoringOnly) {
  OnnxCases cases("batch_norm");
  const FeatureSpace space = sample_space(mixed_tasks);
  const auto graph =
      build_graph(space, {{"type", "mmoe"},
                          {"expert", {{"units", {5}}, {"normalisation", "batch"}, {"activation", "swish"}}},
                          {"gate", {{"type", "top_k"}, {"k", 1}, {"routing", "routed"}}}});
  for (const bool routes : {false, true})
    cases.add(routes ? "routed" : "dense", *graph, space, feed_for(*graph, space, 6), {.routes = routes});
  cases.expect_agreement();
}

}  // namespace
}  // namespace gatewise

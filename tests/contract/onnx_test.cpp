// Every operation, architecture and gate as ONNX: ONNX Runtime gives what the program gives.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/error.h"
#include "exchange/onnx_export.h"
#include "tests/contract/gate_cases.h"
#include "tests/features/schema_of.h"
#include "training/trainer.h"

namespace gatewise {
namespace {

bool has_routed_values(const Graph& graph) {
  const auto is_routed = [](const Node& node) { return node.signature.domain == Domain::Routed; };
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), is_routed);
}

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
    Json json{{"inputs", inputs_of(graph, feed)},
              {"outputs", Json::object()},
              {"paths", Json::array()},
              {"routes", options.routes && has_routed_values(graph)}};
    // An operation by itself may read in training alone what is a parameter here, and so do schedules.
    for (const Node& node : graph.nodes()) {
      for (const std::string& path : node.paths) {
        if (!space.tasks.empty() && !path.ends_with("/progress_owed")) json["paths"].push_back(path);
      }
    }
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
    add(name, export_onnx(graph, run.store(), space, options), json);
  }

  void add(const std::string& name, const std::string& model, const Json& json) {
    std::ofstream(folder_ + "/" + name + ".onnx") << model;
    std::ofstream(folder_ + "/" + name + ".json") << json.dump();
  }

  void expect_agreement() const {
    const std::string log = folder_ + ".log";
    const std::string command =
        GATEWISE_PYTHON " " GATEWISE_SOURCE_DIR "/tools/check_onnx.py " + folder_ + " > " + log + " 2>&1";
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
      const bool has_experts = name != "linear", has_norms = has_experts && name != "tensor_factorization";
      if (normalisation == std::string("layer") && !has_norms) continue;
      Json model = {{"type", name}};
      if (has_experts) model["expert"] = {{"units", {5, 4}}};
      if (has_norms) model["expert"]["normalisation"] = normalisation;
      const auto graph = build_graph(space, model);
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

// Six rows with everything that a column can be, missing values among them.
struct Columns {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> age{20, none, 31, 45, 45, 70}, income{0, 12.5, -3, none, 1e6, 40};
  std::vector<double> hours{1, 2, none, 4, 5, 60}, vector{1, 2, 3, 4, none, none, 5, 6, 7, 9, 0, 1};
  std::vector<std::string> city{"Bern", "", "Ulm", "Bern", "Köln", "?"};
  std::vector<double> click{0, 1, 1, 0, 1, 0}, amount{3, 100, 7, none, 2000, 0};
  std::vector<uint64_t> item{7, 9, 7, 11, 12, 7};
  NumberLists taste_weights{{0, 2, 2, 3, 4, 6, 7}, {1, 0.5, 2, 1, 0.25, 3, 1}};

  Table table() const {
    Texts cities;
    for (const std::string& name : city) {
      const bool is_missing = name.empty() || name == "?";
      cities.codes.push_back(is_missing ? missing_code : static_cast<uint32_t>(cities.levels.size()));
      if (!is_missing) cities.levels.push_back(name);
    }
    const NumberLists vectors{{0, 2, 4, 4, 6, 8, 10}, {1, 2, 3, 4, 5, 6, 7, 9, 0, 1}};
    IdValues items{item, {1, 1, 0, 1, 1, 1}};
    const IdLists tastes{{0, 2, 2, 3, 4, 6, 7}, {5, 6, 5, 8, 6, 5, 9}};
    return Table::from_columns("memory", {{"age", Numbers{age}},
                                          {"income", Numbers{income}},
                                          {"hours", Numbers{hours}},
                                          {"place", vectors},
                                          {"city", cities},
                                          {"hashed", cities},
                                          {"item", items},
                                          {"taste", tastes},
                                          {"strength", taste_weights},
                                          {"click", Numbers{click}},
                                          {"amount", Numbers{amount}}});
  }
};

Json given(const char* type, std::vector<int64_t> shape, Json values) {
  return {{"type", type}, {"shape", std::move(shape)}, {"values", std::move(values)}};
}

// Predictions, which ONNX has in 32 bits.
Json list_of(const ValueList& values) {
  Json list = Json::array();
  for (size_t i = 0; i < values.size(); ++i) list.push_back(static_cast<float>(values[i]));
  return list;
}

// Numbers as JSON has them, NaN by its name.
Json numbers(const std::vector<double>& values) {
  Json json = Json::array();
  for (const double value : values) json.push_back(std::isnan(value) ? Json("nan") : Json(value));
  return json;
}

TEST(Onnx, AgreesOnColumnsAsTheyStandInATable) {
  const Columns columns;
  const Schema schema = schema_of(R"({"data": {"null": ["", "?"]}, "columns": {
    "age": {"role": "numeric", "missing_indicator": true}, "income": {"role": "numeric", "transform": "log1p"},
    "hours": {"role": "numeric", "transform": "quantile", "bins": 4},
    "place": {"role": "vector", "width": 2, "missing_indicator": true},
    "city": {"role": "categorical"}, "hashed": {"role": "categorical", "hash_buckets": 3},
    "item": {"role": "categorical", "type": "id"},
    "taste": {"role": "bag", "type": "id", "weights": "strength"}},
    "tasks": {"click": {}, "amount": {"kind": "regression", "transform": "log1p"}}})");
  const Table table = columns.table();
  const Encoder encoder = Encoder::fit(table, schema);
  const auto graph = build_graph(encoder.space(), {{"type", "mmoe"}});
  Store<float> store(*graph);
  store.initialise(3);
  Pool pool(1);
  const auto predictions = predict(*graph, store, encoder.space(), encoder.encode(table, false), pool);

  Json inputs{{"age", given("double", {6}, numbers(columns.age))},
              {"income", given("double", {6}, numbers(columns.income))},
              {"hours", given("double", {6}, numbers(columns.hours))},
              {"place", given("double", {6, 2}, numbers(columns.vector))},
              {"city", given("text", {6}, columns.city)},
              {"item", given("integer", {6}, {7, 9, -1, 11, 12, 7})},
              {"taste", given("integer", {6, 2}, {5, 6, 0, 0, 5, 0, 8, 0, 6, 5, 9, 0})},
              {"taste/weights", given("real", {6, 2}, {1, 0.5, 0, 0, 2, 0, 1, 0, 0.25, 3, 1, 0})}};
  // Buckets are counted from 0, behind the entries for what is unknown and missing.
  const Vocabulary& vocabulary = *encoder.vocabulary(encoder.space().ids[2].table);
  ASSERT_TRUE(vocabulary.is_hashed());
  Json buckets = Json::array();
  for (const std::string& name : columns.city) {
    const int64_t first = vocabulary.rows() - vocabulary.buckets();
    buckets.push_back(name.empty() || name == "?" ? -1 : vocabulary.find(name) - first);
  }
  inputs["hashed"] = given("integer", {6}, buckets);
  const Json outputs{{"click", given("real", {6}, list_of(predictions[0]))},
                     {"amount", given("real", {6}, list_of(predictions[1]))}};
  OnnxCases cases("columns");
  cases.add("columns", export_onnx(*graph, store, encoder.space(), {}, &encoder),
            Json{{"inputs", inputs}, {"outputs", outputs}});
  cases.expect_agreement();
}

// The model of a table, exported with its features, beside its predictions.
struct OfTable {
  OfTable(const Table& table, const Schema& schema)
      : encoder(Encoder::fit(table, schema)),
        graph(build_graph(encoder.space(), {{"type", "mmoe"}})),
        store(*graph) {
    store.initialise(3);
    Pool pool(1);
    predictions = predict(*graph, store, encoder.space(), encoder.encode(table, false), pool);
  }
  std::string content() const { return export_onnx(*graph, store, encoder.space(), {}, &encoder); }

  Encoder encoder;
  std::unique_ptr<Graph> graph;
  Store<float> store;
  std::vector<ValueList> predictions;
};

TEST(Onnx, UnknownAndMissingTasksMakeARunFail) {
  const Table table = Table::from_columns("memory", {{"x", Numbers{{1, 2, 3, 4}}},
                                                     {"domain", Texts{{0, 1, 0, 1}, {"a", "b"}}},
                                                     {"y", Numbers{{0, 0, 1, 1}}}});
  const OfTable model(table, schema_of(R"({"columns": {"x": "numeric", "domain": "task"},
                                           "tasks": {"a": {"column": "y"}, "b": {"column": "y"}}})"));
  const auto domains = [](const std::string& third) { return given("text", {4}, {"a", "b", third, "b"}); };
  const Json inputs{{"x", given("double", {4}, {1, 2, 3, 4})}, {"domain", domains("a")}};
  const Json refused{{{"domain", domains("c")}}, {{"domain", domains("")}}};
  OnnxCases cases("tasks");
  cases.add("tasks", model.content(),
            Json{{"inputs", inputs},
                 {"outputs", {{own_output, given("real", {4}, list_of(model.predictions[0]))}}},
                 {"refused", refused}});
  cases.expect_agreement();
}

TEST(Onnx, AMissingIdIsNoneOfTheKnownOnes) {
  constexpr int64_t least = std::numeric_limits<int64_t>::min();
  constexpr auto minus_one = std::numeric_limits<uint64_t>::max();
  const std::vector<uint64_t> ids{minus_one, 5, 0, minus_one};
  // A column whose name an operation of the file could have, too.
  const Table table = Table::from_columns("memory", {{"item", IdValues{ids, {1, 1, 0, 1}}},
                                                     {"seen", IdLists{{0, 1, 2, 2, 3}, {minus_one, 5, 7}}},
                                                     {"LabelEncoder_0", Numbers{{1, 2, 3, 4}}},
                                                     {"y", Numbers{{0, 0, 1, 1}}}});
  const OfTable model(table, schema_of(R"({"columns": {"item": {"role": "categorical", "type": "id"},
    "seen": "bag", "LabelEncoder_0": "numeric"}, "tasks": {"y": {}}})"));
  const Json inputs{{"item", given("integer", {4}, {-1, 5, least, -1})},
                    {"seen", given("integer", {4, 1}, {-1, 5, 0, 7})},
                    {"seen/weights", given("real", {4, 1}, {1, 1, 0, 1})},
                    {"LabelEncoder_0", given("double", {4}, {1, 2, 3, 4})}};
  OnnxCases cases("ids");
  cases.add("ids", model.content(),
            Json{{"inputs", inputs},
                 {"outputs", {{"y", given("real", {4}, list_of(model.predictions[0]))}}},
                 {"metadata", {{"missing:item", std::to_string(least)}}}});
  cases.expect_agreement();
}

TEST(Onnx, RefusesAFeatureCalledLikeTheWeightsOfABag) {
  const IdLists lists{{0, 1, 2, 3, 4}, {1, 2, 1, 2}};
  const Table table =
      Table::from_columns("memory", {{"a", lists}, {"a/weights", lists}, {"y", Numbers{{0, 0, 1, 1}}}});
  const OfTable model(table,
                      schema_of(R"({"columns": {"a": "bag", "a/weights": "bag"}, "tasks": {"y": {}}})"));
  const auto expect_refusal = [](const auto& action) {
    try {
      action();
      ADD_FAILURE() << "exported";
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::Data);
      EXPECT_NE(std::string(error.what()).find("\"a/weights\""), std::string::npos) << error.what();
    }
  };
  expect_refusal([&] { model.content(); });
  expect_refusal([&] { export_onnx(*model.graph, model.store, model.encoder.space(), {}); });
}

}  // namespace
}  // namespace gatewise

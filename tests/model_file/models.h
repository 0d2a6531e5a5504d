// A small model to save, load and score.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <set>

#include "architectures/architecture.h"
#include "engine/program.h"
#include "graph/ops.h"
#include "model_file/model_directory.h"
#include "tests/table/files.h"

namespace gatewise {

// Numbers, a categorical column with a name that is no file name, and hashed ids.
inline Table small_table() {
  return Table::from_columns(
      "memory", {{"age", Numbers{{20, 35, 50, 65, 41, 28}}},
                 {"pages", Numbers{{1, 8, 3, 5, 2, 9}}},
                 {"../farbe: größe", Texts{{0, 1, 2, 1, missing_code, 0}, {"rot", "grün\nhell", "blau"}}},
                 {"user", IdValues{{7, 8, 9, 1, 2, 3}, {}}},
                 {"click", Numbers{{0, 1, 1, 0, 1, 0}}},
                 {"buy", Numbers{{0, 1, 0, 0, 0, 1}}}});
}

inline Encoder small_encoder() {
  const Schema schema = Schema::from_json(Json::parse(R"({"columns": {
    "age": {"role": "numeric"}, "pages": {"role": "numeric", "transform": "log1p"},
    "../farbe: größe": {"role": "categorical", "embedding": 3, "min_count": 1},
    "user": {"role": "categorical", "embedding": 2, "hash_buckets": 6}}, "tasks": {"click": {}, "buy": {}}})"));
  return Encoder::fit(small_table(), schema);
}

// Multi-gate mixture over the encoder's features with a state added to them.
inline std::unique_ptr<Graph> small_graph(const FeatureSpace& space, int64_t expert_width = 4) {
  auto graph = std::make_unique<Graph>();
  std::vector<Var> parts{graph->input("numeric", {space.numeric_width()})};
  for (const IdFeature& feature : space.ids) {
    const EmbeddingTable& table = space.tables[feature.table];
    parts.push_back(
        embedding(graph->ids("ids/" + feature.name),
                  graph->table("embeddings/" + table.name, table.rows, table.width, Initializer::normal(1))));
  }
  const Var features = concatenate(parts);
  const Var x = add(features, graph->state("shift", features.shape(), 0.25));
  ModelInputs inputs{x, {}, {}};
  for (const TaskSpace& task : space.tasks) inputs.tasks.push_back({task.name, 1});
  const Json options{{"experts", 3}, {"expert", {{"units", {expert_width, 4}}}}, {"tower", {{"units", {3}}}}};
  const auto architecture =
      Registry<Architecture>::instance().find("mmoe", "architecture", "model").make(options, "model");
  const Heads heads = architecture->build(inputs);
  for (size_t k = 0; k < inputs.tasks.size(); ++k) {
    graph->add_output(inputs.tasks[k].name, sigmoid(heads.of_task[k]));
  }
  return graph;
}

// Predictions of every task, by name.
inline std::map<std::string, std::vector<float>> scores(Store<float>& store, const FeatureSpace& space,
                                                        const EncodedData& data) {
  const Graph& graph = store.graph();
  Pool pool(1);
  PlanOptions options;
  options.is_training = false;
  Program<float> program(store, pool, options);
  Batch<float> batch;
  batch.rows = data.rows;
  batch.inputs[0] = {data.numeric.data(), data.numeric_width};
  for (const Node& node : graph.nodes()) {
    for (const IdFeature& feature : space.ids) {
      if (node.leaf != Leaf::Ids || node.name != "ids/" + feature.name) continue;
      batch.ids[node.id].ids = data.ids.data() + feature.column;
      batch.ids[node.id].stride = data.id_columns;
    }
  }
  Run run;
  run.batch_rows = data.rows;
  program.forward(batch, run);
  std::map<std::string, std::vector<float>> result;
  for (const auto& [name, node] : graph.outputs()) {
    const ConstRows<float> values = program.value(node);
    for (int64_t row = 0; row < data.rows; ++row) result[name].push_back(values.data[row * values.stride]);
  }
  return result;
}

// A model with everything a directory can hold.
struct SmallModel {
  explicit SmallModel(uint64_t seed = 3, int64_t expert_width = 4)
      : encoder(small_encoder()), graph(small_graph(encoder.space(), expert_width)), store(*graph) {
    store.initialise(seed);
    for (int64_t i = 0; i < store.states().size(); ++i) store.states()[i] = 0.125F * static_cast<float>(i);
  }
  ModelParts parts() const {
    return {
        *graph,
        store,
        &encoder,
        Json::parse(R"({"model": {"type": "mmoe", "experts": 3}, "training": {"rate": 0.001, "seed": 3}})"),
        Json::parse(R"({"epochs": [{"epoch": 1, "loss": 0.5}], "best_epoch": 1})"),
        Json::parse(R"({"tasks": {"click": {"auc": {"value": 0.75}}}})")};
  }
  void save(const std::string& directory) const { save_model(directory, parts()); }

  Encoder encoder;
  std::unique_ptr<Graph> graph;
  Store<float> store;
};

// Path -> content of every file under a directory.
inline std::map<std::string, std::string> files_under(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) {
      files[entry.path().lexically_relative(directory).string()] = content_of(entry.path().string());
    }
  }
  return files;
}

// What stands in a directory, not deeper.
inline std::set<std::string> names_in(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    names.insert(entry.path().filename().string());
  return names;
}

inline void write_over(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// Repeats `action` in a process of its own and kills that after some microseconds.
inline void run_and_kill(const std::function<void()>& action, useconds_t microseconds) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      for (int i = 0; i < 10000; ++i) action();
    } catch (...) {
    }
    ::_exit(1);
  }
  ::usleep(microseconds);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// Up to `count` positions, the first and the last among them.
inline std::vector<size_t> sample_of(size_t size, size_t count) {
  std::vector<size_t> positions;
  for (size_t i = 0; i < count && size > 0; ++i) {
    const size_t position = count == 1 ? 0 : i * (size - 1) / (count - 1);
    if (positions.empty() || position != positions.back()) positions.push_back(position);
  }
  return positions;
}

}  // namespace gatewise

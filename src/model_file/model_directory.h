// A model on disk: one directory that holds all it takes to score rows, and what the model came from. The
// files and what is promised about them stand in docs/model_format.md.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/store.h"
#include "features/encoder.h"

namespace gatewise {

struct ModelParts {
  const Graph& graph;
  const Store<float>& store;         // of that graph
  const Encoder* encoder = nullptr;  // null: rows come encoded (synthetic data, Python)
  Json configuration = Json::object();
  Json history = nullptr;
  Json metrics = nullptr;
  Json examples = nullptr;  // as example_rows() of scoring/example_rows.h makes them; null: none
};

// Writes the directory whole or not at all. What is there is only replaced if it is empty or a model with
// nothing beside it. Throws Error(Data), also for weights that are not finite.
void save_model(const std::string& directory, const ModelParts& parts);

struct LoadedModel {
  std::unique_ptr<Graph> graph;
  std::unique_ptr<Store<float>> store;
  std::optional<Encoder> encoder;
  Json configuration;
  Json history;
  Json metrics;
  Json examples;        // null in models of before there were any
  std::string version;  // of the Gatewise that saved it
};

// Reads and checks every file. Throws Error(Data) naming the file at fault.
LoadedModel load_model(const std::string& directory);

}  // namespace gatewise

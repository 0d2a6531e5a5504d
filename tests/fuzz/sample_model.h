// A model over columns of every kind and tasks of every kind, with gates that route rows.
#pragma once

#include <map>

#include "model_file/model_directory.h"
#include "tests/features/every_kind.h"
#include "tests/fuzz/memory_file.h"
#include "training/model.h"

namespace gatewise {

struct SampleModel {
  Encoder encoder;
  std::unique_ptr<Graph> graph;
  std::unique_ptr<Store<float>> store;

  explicit SampleModel(const Json& model) : encoder(fitted()) {
    graph = build_graph(encoder.space(), model);
    store = std::make_unique<Store<float>>(*graph);
    store->initialise(4);
  }

  ModelParts parts() const {
    return {*graph,
            *store,
            &encoder,
            Json::parse(R"({"model": {"type": "mmoe"}, "training": {"seed": 3}})"),
            Json::parse(R"({"epochs": [{"epoch": 1, "loss": 0.5}], "best_epoch": 1})"),
            Json::parse(R"({"tasks": {"click": {"auc": {"value": 0.75}}}})")};
  }

 private:
  static Encoder fitted() {
    const MemoryFile file(every_kind_csv);
    const Schema schema = every_kind_schema();
    return Encoder::fit(read_every_kind(file.path(), schema, true), schema);
  }
};

inline const Json& small_mmoe() {
  static const Json model =
      Json::parse(R"({"type": "mmoe", "experts": 2, "expert": {"units": [4]}, "tower": {"units": [3]}})");
  return model;
}

// Two of three experts for each row; only those run.
inline const Json& small_sparse() {
  static const Json model = Json::parse(
      R"({"type": "mmoe", "experts": 3, "expert": {"units": [4]}, "tower": {"units": [3]},
          "gate": {"type": "top_k", "k": 2}})");
  return model;
}

}  // namespace gatewise

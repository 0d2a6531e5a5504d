// Models that tests of training fit, quickly.
#pragma once

#include "tests/training/sample_data.h"
#include "training/model.h"
#include "training/trainer.h"

namespace gatewise {

inline const std::vector<TaskSpace> mixed_tasks{
    make_task("click", "binary"), make_task("amount", "regression"), make_task("grade", "multiclass", 3)};
inline const std::vector<TaskSpace> binary_tasks{make_task("click", "binary"), make_task("buy", "binary")};

struct Fitted {
  std::unique_ptr<Graph> graph;
  std::unique_ptr<Store<float>> store;
  Json history;

  std::vector<float> weights() const {
    return {store->arena().data(), store->arena().data() + store->arena().size()};
  }
};

struct FitSetting {
  Json model = Json::object();
  int threads = 1;
  TrainingOptions options;
  TrainingRun run;
  bool with_validation = true;
};

inline Fitted fit(const FeatureSpace& space, const EncodedData& rows, const FitSetting& setting) {
  Fitted fitted;
  fitted.graph = build_graph(space, setting.model);
  fitted.store = std::make_unique<Store<float>>(*fitted.graph);
  fitted.store->initialise(static_cast<uint64_t>(setting.options.seed));
  Pool pool(setting.threads);
  const EncodedData validation = sample_rows(space, 300, 0, 2);
  TrainingData data;
  data.train = &rows;
  if (setting.with_validation) data.validation = &validation;
  fitted.history = train(*fitted.graph, *fitted.store, space, data, setting.options, setting.run, pool);
  return fitted;
}

inline FitSetting quick(int64_t epochs = 3) {
  FitSetting setting;
  setting.options.epochs = epochs;
  setting.options.batch_rows = 200;
  setting.options.optimiser = {{"rate", 0.01}};
  return setting;
}

}  // namespace gatewise

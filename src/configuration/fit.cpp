#include "configuration/fit.h"

#include "configuration/warm_start.h"
#include "training/frozen.h"
#include "training/model.h"
#include "training/warnings.h"

namespace gatewise {

UntrainedModel make_model(const Configuration& configuration, const TrainingRows& rows,
                          const LoadedModel* start) {
  UntrainedModel model;
  const ContinueSection continuation = configuration.continuation.value_or(ContinueSection());
  model.graph = build_graph(rows.encoder.space(), configuration.model);
  model.frozen = freeze(*model.graph, continuation.freeze);
  model.store = std::make_unique<Store<float>>(*model.graph);
  model.store->initialise(static_cast<uint64_t>(configuration.training.seed));
  if (start != nullptr) {
    check_copies(continuation.copy, rows.new_tasks, *start->encoder);
    copy_parameters(*start->store, *model.store, rows.new_tasks, continuation.copy);
  }
  return model;
}

Json fit_model(UntrainedModel& model, const Configuration& configuration, const TrainingRows& rows,
               TrainingRun run, Pool& pool) {
  run.frozen = model.frozen;
  TrainingData data;
  if (rows.train) {
    data.train = &*rows.train;
    const FeatureSpace& space = rows.encoder.space();
    run.warnings = find_broken_chain(space, *rows.train, chain_of_tasks(space, configuration.model));
  }
  data.stream = rows.stream.get();
  data.stream_indices = rows.stream_indices;
  if (rows.validation) data.validation = &*rows.validation;
  return train(*model.graph, *model.store, rows.encoder.space(), data, configuration.training, run, pool);
}

Json measure_model(const UntrainedModel& model, const Configuration& configuration, const TrainingRows& rows,
                   Pool& pool) {
  const EvaluationOptions options = configuration.evaluation.options();
  const auto evaluated = [&](const EncodedData& data) {
    return evaluate(*model.graph, *model.store, rows.encoder.space(), data, options, pool);
  };
  Json metrics = Json::object();
  if (rows.validation) metrics["validation"] = evaluated(*rows.validation);
  if (rows.test) metrics["test"] = evaluated(*rows.test);
  if (metrics.empty()) metrics["train"] = evaluated(*rows.train);
  return metrics;
}

Json completed_configuration(const Configuration& configuration, const TrainingRows& rows,
                             const std::string& output) {
  Configuration complete = configuration;
  complete.output.model = output;
  Json written = complete.to_json();
  if (configuration.synthetic) return written;
  Schema schema = rows.encoder.schema();
  schema.data = configuration.schema.data;
  schema.split = configuration.schema.split;
  written.update(schema.to_json());
  return written;
}

}  // namespace gatewise

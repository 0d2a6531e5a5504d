#include "configuration/fit.h"

#include <unistd.h>

#include "base/error.h"
#include "configuration/warm_start.h"
#include "training/frozen.h"
#include "training/model.h"
#include "training/run_identity.h"
#include "training/warnings.h"

namespace gatewise {
namespace {

// Adds what decides about the rows and the model; the settings of training add themselves (run_identity.h).
// Where files lie decides nothing.
void add_configuration(Json& identity, const Configuration& configuration, const TrainingRows& rows) {
  const Json whole = completed_configuration(configuration, rows, "");
  for (const char* table : {"columns", "tasks", "data", "split", "synthetic", "model"}) {
    Json fields = table_of(whole, table);
    for (const char* part : {"train", "validation", "test"}) {
      if (table == std::string("data")) fields.erase(part);
    }
    add_identity(identity, table, fields);
  }
  const auto text = [](const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  std::string encoder = text(rows.encoder.to_json());
  for (const auto& [table, levels] : rows.encoder.vocabularies()) encoder += digest_of(table + levels);
  add_identity(identity, "the digest of the encoder", digest_of(encoder));
}

// Throws Error(Data) before memory is taken that the machine does not have.
void require_memory(const Graph& graph) {
  const Layout layout(graph);
  const auto bytes = static_cast<double>(sizeof(float)) *
                     static_cast<double>(layout.arena_size + layout.big_tables_size + layout.state_size);
  const double machine = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(getpagesize());
  // Training holds the weights of the best epoch beside the present ones.
  if (2 * bytes <= machine) return;
  const auto values = [](const PathBlock& block) {
    return static_cast<double>(block.rows) * static_cast<double>(block.columns);
  };
  double parameters = 0;
  const PathBlock* largest = &layout.blocks.front();
  for (const PathBlock& block : layout.blocks) {
    parameters += values(block);
    if (values(block) > values(*largest)) largest = &block;
  }
  constexpr double gib = 1 << 30;
  data_error(
      "model: is too large for this machine; got {:.3g} parameters, {:.1f} GiB with the copy of the best "
      "epoch, expected at most its {:.1f} GiB of memory; the largest is \"{}\" with {:.3g}; take fewer or "
      "smaller "
      "experts, units or embeddings",
      parameters, 2 * bytes / gib, machine / gib, largest->path, values(*largest));
}

}  // namespace

UntrainedModel make_model(const Configuration& configuration, const TrainingRows& rows,
                          const LoadedModel* start) {
  UntrainedModel model;
  const ContinueSection continuation = configuration.continuation.value_or(ContinueSection());
  model.graph = build_graph(rows.encoder.space(), configuration.model);
  require_memory(*model.graph);
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
  if (!run.checkpoint.empty()) add_configuration(run.identity, configuration, rows);
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

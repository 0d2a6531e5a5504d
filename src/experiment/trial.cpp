#include "experiment/trial.h"

#include <chrono>

#include "base/error.h"
#include "base/plugin.h"
#include "base/random.h"
#include "kernels/instruction_set.h"
#include "model_file/manifest.h"
#include "training/model.h"

namespace gatewise {
namespace {

using Clock = std::chrono::steady_clock;

// The curves of a history, epoch by epoch.
void add_curves(Json& result, const Json& history) {
  result["losses"] = Json::object();
  result["validation"] = Json::object();
  double seconds_per_row = 0;
  for (const Json& epoch : history["epochs"]) {
    for (const auto& [task, loss] : epoch["losses"].items()) result["losses"][task].push_back(loss);
    const Json validation = epoch.value("validation", Json::object());
    for (const auto& [task, metrics] : validation.items()) {
      for (const auto& [name, metric] : metrics.items())
        result["validation"][task][name].push_back(metric["value"]);
    }
    seconds_per_row += 1 / epoch["rows_per_second"].get<double>();
  }
  // Epochs have equally many rows.
  result["rows_per_second"] = static_cast<double>(history["epochs"].size()) / seconds_per_row;
}

}  // namespace

Configuration with_seed(Configuration configuration, int64_t seed, SeedScope scope) {
  configuration.training.seed = seed;
  if (scope == SeedScope::Training) return configuration;
  configuration.schema.split.seed = seed;
  if (configuration.synthetic) configuration.synthetic->options["seed"] = seed;
  return configuration;
}

std::string trial_key(const Configuration& configuration, const Json& rows, const Json& ending) {
  Json what = configuration.to_json();
  for (const char* table : {"data", "split", "columns", "synthetic", "output"}) what.erase(table);
  for (const char* option : {"threads", "checkpoint_seconds"}) what["training"].erase(option);
  what["rows"] = rows;
  if (!ending.is_null()) what["ending"] = ending;
  what.erase("plugins");
  what["program"] = {gatewise_version(), kernels::instruction_set_name()};
  for (const uint64_t checksum : loaded_plugin_checksums()) what["program"].push_back(checksum);
  return fmt::format("{:016x}", mix64(fnv1a(what.dump())));
}

ParameterCount count_parameters(const Graph& graph) {
  const Layout layout(graph);
  ParameterCount count;
  for (const PathBlock& block : layout.blocks) {
    if (block.place < 0) continue;
    const int64_t values = block.rows * block.columns;
    count.total += values;
    if (!block.path.starts_with("embeddings/")) count.outside_embeddings += values;
  }
  return count;
}

Json run_trial(const Trial& trial, const TrainingRows& rows, std::atomic<bool>* stop_request) {
  const auto start = Clock::now();
  const Configuration& configuration = trial.configuration;
  Pool pool(1);
  UntrainedModel model = make_model(configuration, rows);
  TrainingRun run;
  run.stop_request = stop_request;
  run.ends_after = trial.ends_after;
  Json history;
  try {
    history = fit_model(model, configuration, rows, run, pool);
  } catch (const Error& error) {
    if (error.fault() != Fault::Data) throw;
    return {{"error", error.what()}};
  }
  if (history.value("stopped_by", "") == "request") return {};
  Json result;
  result["metrics"] = measure_model(model, configuration, rows, pool);
  result["best_epoch"] = history.value("best_epoch", Json());
  result["epochs"] = history["epochs"].size();
  result["stopped_by"] = history["stopped_by"];
  result["warnings"] = history["warnings"];
  add_curves(result, history);
  result["seconds"] = std::chrono::duration<double>(Clock::now() - start).count();
  const ParameterCount parameters = count_parameters(*model.graph);
  result["parameters"] = {{"total", parameters.total}, {"outside_embeddings", parameters.outside_embeddings}};
  return result;
}

}  // namespace gatewise

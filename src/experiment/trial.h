// One trial of an experiment: a configuration with its seeds, trained and measured.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "configuration/fit.h"

namespace gatewise {

struct Trial {
  std::string name;  // for people: which configuration
  int64_t seed = 0;  // for people: the configuration has its seeds in it
  Configuration configuration;
  size_t number = 0;  // set by run_trials(): 0, 1, ... in the order of the start
  // Where training may end before its time (TrainingRun::ends_after), and all that decides about it, null
  // where nothing does.
  std::function<bool(const Json& epoch)> ends_after = {};
  Json ending = {};
};

// What changes with the seed of a trial.
enum class SeedScope {
  Everything,  // the split by fraction or the synthetic rows, and all that Training names
  Training,    // initial weights, order of rows, dropout
};
Configuration with_seed(Configuration configuration, int64_t seed, SeedScope scope);

// A hash of everything that determines the result: the configuration but for the number of threads, the
// output and checkpoints, the contents of the files (`rows`, of SharedRows::identity()), the `ending` of the
// trial, the program's version, its instruction set and the contents of the plug-ins loaded.
std::string trial_key(const Configuration& configuration, const Json& rows, const Json& ending = {});

// Values saved with a model, those of embedding tables apart.
struct ParameterCount {
  int64_t total = 0;
  int64_t outside_embeddings = 0;
};
ParameterCount count_parameters(const Graph& graph);

// Trains on one thread and measures. Returns null when `stop_request` became true meanwhile, otherwise
//   {metrics: {validation, test: as evaluate()}, best_epoch, epochs, stopped_by, warnings,
//    losses: {<task>: [training loss of each epoch]},
//    validation: {<task>: {<metric>: [value after each epoch]}},
//    seconds (all of it), rows_per_second (while training), parameters: {total, outside_embeddings}}
// or {error: text} when training diverged. All but seconds and rows_per_second follows from the key. Throws
// Error as make_model() and load_training_rows() do.
Json run_trial(const Trial& trial, const TrainingRows& rows, std::atomic<bool>* stop_request = nullptr);

}  // namespace gatewise

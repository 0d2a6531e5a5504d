// Trials side by side: one model per core over shared rows, each on one thread, so that no result depends on
// the order of the trials or on how many run at a time.
#pragma once

#include <functional>
#include <optional>

#include "experiment/journal.h"
#include "experiment/shared_rows.h"
#include "experiment/trial.h"

namespace gatewise {

struct ExperimentOptions {
  int workers = 0;             // trials at a time; 0: one per core
  Journal* journal = nullptr;  // takes every finished trial; what it already holds is not run again
  const std::atomic<bool>* stop_request = nullptr;  // when it becomes true, the trials under way are given up
};

// The next trial to start. Nothing means that there is none now: the question comes again when a trial has
// finished, and the run ends when none is under way any more. So trials may follow from results.
using NextTrial = std::function<std::optional<Trial>()>;
// What came of a trial, as run_trial() gives it. `is_new`: it was run now, not found in the journal.
using TrialDone = std::function<void(const Trial& trial, const Json& result, bool is_new)>;

// Returns when all trials are done, false when it was stopped before. Both functions are called on threads of
// the run, but never two calls at once. The first exception of a trial or of a function ends the run and is
// thrown; a trial that diverges is a result ({error}), not an exception.
bool run_trials(SharedRows& rows, const ExperimentOptions& options, const NextTrial& next,
                const TrialDone& done);

// The same for a list of trials, started in its order. Results in the order of the list; those of trials that
// a stop left out are null.
std::vector<Json> run_trials(SharedRows& rows, const ExperimentOptions& options,
                             const std::vector<Trial>& trials, const TrialDone& done = {});

}  // namespace gatewise

// The search for the settings of a configuration: trials proposed by a Searcher, run by run_trials().
#pragma once

#include <functional>

#include "configuration/tune_section.h"
#include "experiment/objective.h"
#include "experiment/run.h"
#include "experiment/search_plan.h"
#include "experiment/searcher.h"

namespace gatewise {

class Tuner {
 public:
  // Loads the rows of the plan's configuration to learn its tasks. Unless its [training.stop] says what the
  // kept epoch is judged by, that is the objective in every trial. `section.parallel` must be set: the number
  // of trials under way together. Throws Error(Command) for an objective or constraints that do not fit, and
  // when there are no validation rows.
  Tuner(SearchPlan plan, TuneSection section, SharedRows& rows);
  ~Tuner();

  const Objective& objective() const { return objective_; }
  const Searcher& searcher() const { return searcher_; }
  // What the search leaves out or cannot do, for people, a sentence each.
  std::vector<std::string> notes() const;

  // Told about every trial that has ended, with its entry of the result's "trials" and the number of its runs
  // that were found in the journal. Called in the order in which trials end.
  using Told = std::function<void(const Json& trial, int64_t known_runs)>;
  // Runs all trials. A proposal knows the results of all earlier trials but the last `parallel - 1`, whatever
  // has ended by then, so that a search is a function of the plan and the section. Returns false when it was
  // stopped before the end.
  bool run(const ExperimentOptions& options, const Told& told);
  // Trains the first run of the best trial once more, since a search leaves the intervals of [evaluation]
  // resamples out; result() has them from then on. Nothing to do where none are asked for or no trial
  // succeeded. Returns false when it was stopped before the end.
  bool measure_best(const ExperimentOptions& options);

  // {objective, settings (the section), space: [{name, kind, min, max, log | choices, ordered}], constraints,
  //  default_space,
  //  trials: [{number, proposed_by: first | start | model, values: {name: value}, status: finished | cut |
  //    failed, value?, values_by_seed?, error?, epochs, best_epoch, seconds, parameters, is_best_so_far}],
  //  best?: {number, value, values, metrics: {validation, test?} of its first run, with intervals
  //  after measure_best()},
  //  convergence: [best value after each trial, or null],
  //  importance: {of: what is explained, options: [{name, alone, in_all}], why_none? where these are
  //  missing}}
  // of the trials that have ended, numbered from 1. A trial that was cut is never better than a finished one:
  // its value is that of fewer epochs and of one seed. `best` is missing while no trial has succeeded.
  Json result() const;
  // The given configuration with the values of the best trial. Throws Error(Data) when no trial succeeded,
  // with the reason of the first failure.
  Json best_configuration() const;

 private:
  struct State;

  void stop_by_objective();
  std::optional<Trial> next();
  bool propose();
  Trial run_of(size_t trial, int64_t seed) const;
  void add_ending(Trial& trial, size_t index) const;
  void finish(State& state);
  double later_seeds_add(size_t count) const;
  Observation observation(const State& state, double added) const;
  std::vector<Observation> known_before(size_t index) const;
  std::pair<bool, double> rank(const State& state) const;
  std::optional<size_t> best() const;
  Json trial_json(size_t index) const;
  Json space_json() const;
  Json importance_json() const;

  SearchPlan plan_;
  TuneSection section_;
  SharedRows& rows_;
  std::vector<TaskSpace> tasks_;
  Objective objective_;
  Searcher searcher_;
  std::vector<State> states_;
  std::vector<std::pair<size_t, int64_t>> runs_;  // number of a run -> its trial and seed
  Told told_;
  Json best_metrics_;  // of measure_best()
  bool is_exhausted_ = false, keeps_other_epoch_ = false;
};

}  // namespace gatewise

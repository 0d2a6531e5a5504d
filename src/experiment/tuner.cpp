#include "experiment/tuner.h"

#include <numeric>

#include "base/error.h"
#include "experiment/tuner_state.h"
#include "training/model.h"

namespace gatewise {
namespace {

std::vector<TaskSpace> tasks_of(SharedRows& rows, const Configuration& configuration) {
  const std::shared_ptr<const TrainingRows> loaded = rows.get(configuration);
  if (!loaded->validation) {
    command_error(
        "tune: there are no validation rows to judge settings on, and test rows are not for that; name files "
        "as data.validation, or let [split] set rows aside");
  }
  return loaded->encoder.space().tasks;
}

Searcher make_searcher(const SearchPlan& plan, const TuneSection& section) {
  std::vector<Constraint> constraints;
  for (const std::string& text : section.constraints) constraints.emplace_back(text);
  std::map<std::string, double> constants = plan.resolve(constraints);
  SearcherOptions options;
  options.seed = static_cast<uint64_t>(section.seed);
  options.starts = section.starts;
  return {SearchSpace(plan.dimensions), std::move(constraints), std::move(constants), options, plan.first};
}

// {<task>: {<metric>: {value}}} after one epoch, from the curves of a result.
Json values_at(const Json& curves, size_t epoch) {
  Json values = Json::object();
  for (const auto& [task, metrics] : curves.items()) {
    for (const auto& [name, curve] : metrics.items()) values[task][name]["value"] = curve[epoch];
  }
  return values;
}

CostCurve cost_curve(const Json& result, const Objective& objective) {
  CostCurve curve;
  if (!result.contains("validation")) return curve;
  double lowest = std::numeric_limits<double>::infinity();
  for (size_t epoch = 0; epoch < result["epochs"].get<size_t>(); ++epoch) {
    const std::optional<double> value = objective.value(values_at(result["validation"], epoch));
    if (value) lowest = std::min(lowest, objective.cost(*value));
    curve.push_back(lowest);
  }
  return curve;
}

}  // namespace

Tuner::Tuner(SearchPlan plan, TuneSection section, SharedRows& rows)
    : plan_(std::move(plan)),
      section_(std::move(section)),
      rows_(rows),
      tasks_(tasks_of(rows, Configuration::from_json(plan_.configuration))),
      objective_(Objective::read(section_.objective, tasks_)),
      searcher_(make_searcher(plan_, section_)) {
  if (section_.halving == 1)
    command_error("tune.halving: got 1, which keeps every trial; expected 0 for none, or at least 2");
  const bool searches_epochs =
      std::any_of(plan_.dimensions.begin(), plan_.dimensions.end(),
                  [](const Dimension& dimension) { return dimension.name == "training.epochs"; });
  if (section_.halving > 0 && searches_epochs)
    command_error(
        "training.epochs: got a range, and tune.halving compares trials by epoch; drop one of them");
  const int64_t epochs = Configuration::from_json(plan_.configuration).training.epochs;
  if (section_.halving > 0 && section_.halving_epochs >= epochs) {
    command_error(
        "tune.halving_epochs: got {} where training.epochs is {}, so that no trial could end early; expected "
        "less, or tune.halving = 0",
        section_.halving_epochs, epochs);
  }
  stop_by_objective();
}

void Tuner::stop_by_objective() {
  const std::optional<Json> options = objective_.stop_options(tasks_);
  keeps_other_epoch_ = !options;
  const Json given = table_of(table_of(plan_.configuration, "training"), "stop");
  for (const char* name : {"policy", "task", "metric", "weights"}) {
    if (!given.contains(name)) continue;
    keeps_other_epoch_ = true;
    return;
  }
  if (options && !options->empty()) plan_.configuration["training"]["stop"].update(*options);
}

std::vector<std::string> Tuner::notes() const {
  std::vector<std::string> notes;
  if (!plan_.left_at_zero.empty()) {
    notes.push_back(
        fmt::format("{} stays 0, from which no range of ratios can start; give it a range to search it",
                    fmt::join(plan_.left_at_zero, ", ")));
  }
  if (!searcher_.broken_by_first().empty()) {
    notes.push_back(fmt::format("the first point, {}, breaks \"{}\" and is not tried",
                                plan_.is_default ? "the configuration as it is" : "that of the starts",
                                searcher_.broken_by_first()));
  }
  if (keeps_other_epoch_)
    notes.emplace_back("[training.stop] chooses the epoch that a trial keeps, not tune.objective");
  return notes;
}

Tuner::~Tuner() = default;

// What all seeds differ by from the first one, in the mean of the finished ones of the first `count` trials.
double Tuner::later_seeds_add(size_t count) const {
  double sum = 0;
  int64_t finished = 0;
  for (size_t i = 0; i < count; ++i) {
    const State& state = states_[i];
    if (!state.value || state.was_cut) continue;
    sum += *state.value - *state.first_value;
    ++finished;
  }
  return finished > 0 ? sum / static_cast<double>(finished) : 0;
}

// `added` makes the one seed of a trial that was cut comparable with the means of others.
Observation Tuner::observation(const State& state, double added) const {
  if (!state.value) return {state.point, std::nan("")};
  return {state.point, objective_.cost(*state.value + (state.was_cut ? added : 0))};
}

std::vector<Observation> Tuner::known_before(size_t index) const {
  std::vector<Observation> known;
  const auto parallel = static_cast<size_t>(section_.parallel);
  const size_t count = index >= parallel ? index - parallel + 1 : 0;
  const double added = later_seeds_add(count);
  for (size_t i = 0; i < count; ++i) known.push_back(observation(states_[i], added));
  return known;
}

// Adds the next trial; false when the search is exhausted.
bool Tuner::propose() {
  const size_t index = states_.size();
  const std::vector<Observation> known = known_before(index);
  std::vector<Point> pending;
  for (size_t i = known.size(); i < index; ++i) pending.push_back(states_[i].point);
  const std::optional<Point> point = searcher_.propose(static_cast<int64_t>(index), known, pending);
  if (!point) return false;
  State& state = states_.emplace_back();
  state.point = *point;
  const bool is_start = static_cast<int64_t>(index) < searcher_.starts();
  state.proposed_by = index == 0 && plan_.first == *point ? "first" : is_start ? "start" : "model";
  state.configuration = plan_.with(*point);
  state.results.resize(static_cast<size_t>(section_.seeds));
  try {
    // Options can be fine each and impossible together; such a trial has failed, and the search goes on.
    const Configuration configuration = Configuration::from_json(state.configuration);
    build_graph(rows_.get(configuration)->encoder.space(), configuration.model);
  } catch (const Error& error) {
    if (error.fault() == Fault::Internal) throw;
    state.error = error.what();
    finish(state);
  }
  return true;
}

void Tuner::add_ending(Trial& trial, size_t index) const {
  const size_t known = known_before(index).size();
  std::vector<CostCurve> curves;
  std::vector<bool> was_cut;
  for (size_t i = 0; i < known; ++i) {
    curves.push_back(states_[i].curve);
    was_cut.push_back(states_[i].was_cut);
  }
  const int64_t epochs = trial.configuration.training.epochs;
  const std::vector<Rung> rungs =
      rungs_of(curves, was_cut, section_.halving, section_.halving_epochs, epochs);
  if (rungs.empty()) return;
  trial.ending = {{"objective", objective_.to_json()["terms"]}, {"rungs", Json::array()}};
  for (const Rung& rung : rungs)
    trial.ending["rungs"].push_back({{"epoch", rung.epoch}, {"largest_cost", rung.largest_cost}});
  const auto lowest = std::make_shared<double>(std::numeric_limits<double>::infinity());
  trial.ends_after = [rungs, lowest, objective = objective_](const Json& epoch) {
    const std::optional<double> value = objective.value(epoch["validation"]);
    if (value) *lowest = std::min(*lowest, objective.cost(*value));
    return std::any_of(rungs.begin(), rungs.end(), [&](const Rung& rung) {
      return rung.epoch == epoch["epoch"].get<int64_t>() && *lowest > rung.largest_cost;
    });
  };
}

Trial Tuner::run_of(size_t index, int64_t seed) const {
  Trial trial;
  trial.name = fmt::format("trial {}", index + 1);
  trial.configuration = Configuration::from_json(states_[index].configuration);
  trial.seed = trial.configuration.training.seed + seed;
  trial.configuration = with_seed(std::move(trial.configuration), trial.seed, SeedScope::Training);
  trial.configuration.evaluation.resamples = 0;
  trial.configuration.evaluation.calibration_bins = 0;
  objective_.require(trial.configuration, tasks_);
  // The first seed decides whether the others are worth running.
  if (section_.halving > 0 && seed == 0) add_ending(trial, index);
  return trial;
}

std::optional<Trial> Tuner::next() {
  while (true) {
    for (size_t i = 0; i < states_.size(); ++i) {
      State& state = states_[i];
      if (state.has_ended || state.started == section_.seeds) continue;
      const bool waits = section_.halving > 0 && state.started > 0 && state.results[0].is_null();
      if (waits) continue;
      runs_.emplace_back(i, state.started);
      return run_of(i, state.started++);
    }
    const size_t index = states_.size();
    const auto parallel = static_cast<size_t>(section_.parallel);
    const bool is_known =
        index < parallel ||
        std::all_of(states_.begin(), states_.begin() + static_cast<std::ptrdiff_t>(index + 1 - parallel),
                    [](const State& state) { return state.has_ended; });
    if (static_cast<int64_t>(index) >= section_.trials || is_exhausted_ || !is_known) return {};
    is_exhausted_ = !propose();
  }
}

void Tuner::finish(State& state) {
  state.has_ended = true;
  double sum = 0;
  int64_t count = 0;
  for (const Json& result : state.results) {
    if (result.is_null()) continue;
    if (result.contains("error")) {
      state.error = result["error"].get<std::string>();
      continue;
    }
    const std::optional<double> value = objective_.value(result["metrics"]["validation"]["tasks"]);
    if (!value) {
      state.error = "undefined on the validation rows: " +
                    objective_.why_undefined(result["metrics"]["validation"]["tasks"]);
      continue;
    }
    if (&result == state.results.data()) state.first_value = value;
    sum += *value;
    ++count;
  }
  if (state.error.empty() && count > 0) state.value = sum / static_cast<double>(count);
  if (told_) told_(trial_json(static_cast<size_t>(&state - states_.data())), state.known_runs);
}

bool Tuner::run(const ExperimentOptions& options, const Told& told) {
  told_ = told;
  return run_trials(
      rows_, options, [this] { return next(); },
      [this](const Trial& trial, const Json& result, bool is_new) {
        const auto [index, seed] = runs_[trial.number];
        State& state = states_[index];
        state.results[static_cast<size_t>(seed)] = result;
        state.known_runs += !is_new;
        if (seed == 0) {
          state.curve = cost_curve(result, objective_);
          state.was_cut = result.value("stopped_by", "") == "caller";
        }
        const bool is_last = std::none_of(state.results.begin(), state.results.end(),
                                          [](const Json& one) { return one.is_null(); });
        if (is_last || state.was_cut || result.contains("error")) {
          // Runs of other seeds that are still under way are not waited for.
          if (!state.has_ended) finish(state);
        }
      });
}

bool Tuner::measure_best(const ExperimentOptions& options) {
  const std::optional<size_t> index = best();
  if (!index) return true;
  const int64_t resamples = Configuration::from_json(states_[*index].configuration).evaluation.resamples;
  if (resamples == 0) return true;
  Trial trial = run_of(*index, 0);
  trial.name += " measured";
  trial.configuration.evaluation.resamples = resamples;
  const Json result = run_trials(rows_, options, std::vector<Trial>{trial})[0];
  if (result.is_null()) return false;
  if (result.contains("metrics")) best_metrics_ = result["metrics"];
  return true;
}

// Of a trial with a value; the smaller, the better.
std::pair<bool, double> Tuner::rank(const State& state) const {
  return {state.was_cut, objective_.cost(*state.value)};
}

std::optional<size_t> Tuner::best() const {
  std::optional<size_t> best;
  for (size_t i = 0; i < states_.size(); ++i) {
    if (!states_[i].value) continue;
    if (!best || rank(states_[i]) < rank(states_[*best])) best = i;
  }
  return best;
}

Json Tuner::best_configuration() const {
  if (const std::optional<size_t> index = best()) return states_[*index].configuration;
  std::string reason = "no trial has ended";
  for (const State& state : states_) {
    if (!state.error.empty()) {
      reason = "the first one: " + state.error;
      break;
    }
  }
  data_error("tune: none of {} trials succeeded; {}", states_.size(), reason);
}

}  // namespace gatewise

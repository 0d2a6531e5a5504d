// What a search gives as JSON: the document behind its terminal view and its report.
#include "experiment/importance.h"
#include "experiment/tuner.h"
#include "experiment/tuner_state.h"

namespace gatewise {

Json Tuner::trial_json(size_t index) const {
  const State& state = states_[index];
  Json json{{"number", index + 1},
            {"proposed_by", state.proposed_by},
            {"values", searcher_.space().json(state.point)}};
  json["status"] = !state.error.empty() ? "failed" : state.was_cut ? "cut" : "finished";
  if (state.value) json["value"] = *state.value;
  Json by_seed = Json::array();
  double seconds = 0;
  for (const Json& result : state.results) {
    if (result.is_null() || result.contains("error")) continue;
    const std::optional<double> value = objective_.value(result["metrics"]["validation"]["tasks"]);
    by_seed.push_back(value ? Json(*value) : Json());
    seconds += result["seconds"].get<double>();
  }
  if (section_.seeds > 1) json["values_by_seed"] = by_seed;
  if (!state.error.empty()) json["error"] = state.error;
  const Json& first = state.results[0];
  if (!first.is_null() && !first.contains("error")) {
    json["epochs"] = first["epochs"];
    json["best_epoch"] = first["best_epoch"];
    json["parameters"] = first["parameters"];
  }
  json["seconds"] = seconds;
  return json;
}

Json Tuner::space_json() const {
  Json space = Json::array();
  for (const Dimension& dimension : plan_.dimensions) {
    Json json{{"name", dimension.name}};
    if (dimension.kind == Dimension::Kind::Choice) {
      json.update({{"kind", "choice"}, {"choices", dimension.choices}, {"ordered", dimension.has_order()}});
    } else {
      const bool is_integer = dimension.kind == Dimension::Kind::Integer;
      json.update({{"kind", is_integer ? "integer" : "number"},
                   {"min", dimension.json(dimension.low)},
                   {"max", dimension.json(dimension.high)},
                   {"log", dimension.is_log}});
    }
    space.push_back(json);
  }
  return space;
}

Json Tuner::importance_json() const {
  std::vector<Observation> observations;
  const double added = later_seeds_add(states_.size());
  for (const State& state : states_) {
    if (state.value) observations.push_back(observation(state, added));
  }
  Json json{
      {"of",
       "share of the variance of the objective over the whole space, as a Gaussian process sees it from "
       "the trials: by the option alone, and in all with its interactions (Sobol indices)"},
      {"options", Json::array()}};
  const std::vector<Importance> found =
      importances(searcher_.space(), observations, static_cast<uint64_t>(section_.seed));
  for (size_t i = 0; i < found.size(); ++i) {
    json["options"].push_back(
        {{"name", plan_.dimensions[i].name}, {"alone", found[i].alone}, {"in_all", found[i].in_all}});
  }
  const size_t fewest = fewest_observations(searcher_.space().size());
  if (observations.size() < fewest) {
    json["why_none"] = fmt::format("{} trials succeeded, and telling {} options apart takes at least {}",
                                   observations.size(), searcher_.space().size(), fewest);
  } else if (found.empty()) {
    json["why_none"] = "no option makes a difference among the trials";
  }
  return json;
}

Json Tuner::result() const {
  Json result{
      {"objective", objective_.to_json()},   {"settings", write_options(section_)}, {"space", space_json()},
      {"constraints", section_.constraints}, {"default_space", plan_.is_default},   {"trials", Json::array()},
      {"convergence", Json::array()}};
  const State* so_far = nullptr;
  for (size_t i = 0; i < states_.size(); ++i) {
    const State& state = states_[i];
    if (!state.has_ended) continue;
    const bool is_best = state.value && (so_far == nullptr || rank(state) < rank(*so_far));
    if (is_best) so_far = &state;
    result["trials"].push_back(trial_json(i));
    result["trials"].back()["is_best_so_far"] = is_best;
    result["convergence"].push_back(so_far != nullptr ? Json(*so_far->value) : Json());
  }
  if (const std::optional<size_t> index = best()) {
    const State& state = states_[*index];
    result["best"] = {{"number", *index + 1},
                      {"value", *state.value},
                      {"values", searcher_.space().json(state.point)},
                      {"metrics", best_metrics_.is_null() ? state.results[0]["metrics"] : best_metrics_}};
  }
  result["importance"] = importance_json();
  return result;
}

}  // namespace gatewise

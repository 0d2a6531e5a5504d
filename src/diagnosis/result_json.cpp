#include "diagnosis/result_json.h"

#include <cmath>

#include "diagnosis/sharing.h"

namespace gatewise {
namespace {

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

// {<task>: {loss, main}}: how much larger the loss and how much smaller the main metric have become; of the
// one task `only` where it is given.
Json change_json(const TaskScores& changed, const Background& background, const std::string& only = "") {
  Json tasks = Json::object();
  const TaskScores& intact = background.effects.intact;
  for (size_t task = 0; task < background.space.tasks.size(); ++task) {
    const TaskSpace& of_task = background.space.tasks[task];
    if (!only.empty() && of_task.name != only) continue;
    tasks[of_task.name] = {{"loss", number(changed.loss[task] - intact.loss[task])},
                           {main_metric(of_task.kind), number(changed.main[task] - intact.main[task])}};
  }
  return tasks;
}

Json expert_json(const ExpertProbe& probe, const ExpertStatistics& found, int64_t units) {
  return {{"path", probe.path},
          {"task", probe.task.empty() ? Json() : Json(probe.task)},
          {"rows", found.rows},
          {"zero_share", found.zero_share},
          {"saturated_share", found.saturated_share},
          {"mean", found.mean},
          {"scale", found.scale},
          {"units", units},
          {"dead_units", found.dead_units},
          {"identical_units", found.identical_units},
          {"unit_zero_shares", found.unit_zero_shares},
          {"effective_rank", found.effective_rank},
          {"histogram", found.histogram}};
}

// Largest scale over smallest of the experts that are listened to; null where one is 0.
Json scale_spread(const LevelStatistics& found) {
  double smallest = INFINITY, largest = 0;
  for (const ExpertStatistics& expert : found.experts) {
    if (expert.rows == 0) continue;
    smallest = std::min(smallest, expert.scale);
    largest = std::max(largest, expert.scale);
  }
  return number(largest / smallest);
}

Json gate_json(const WatchedGate& gate, const GateStatistics& found, const WatchedLevel& level) {
  Json seen = Json::array();
  for (const int expert : gate.sees) seen.push_back(level.experts[expert].path);
  return {{"path", gate.name},
          {"task", gate.task.empty() ? Json() : Json(gate.task)},
          {"rows", found.rows},
          {"sees", std::move(seen)},
          {"depends_on_rows", gate.depends_on_rows},
          {"weights", found.weights},
          {"shares", found.shares},
          {"leads", found.leads},
          {"entropy", found.entropy},
          {"effective_experts", found.effective_experts}};
}

Json gates_json(size_t index, const Observed& seen, const Background& background, const Json& drift,
                const std::optional<Slices>& slices) {
  const WatchedLevel& level = background.levels[index];
  Json gates = Json::array();
  for (size_t place = 0; place < level.gates.size(); ++place) {
    const WatchedGate& gate = level.gates[place];
    Json item = gate_json(gate, seen.levels[index].gates[place], level);
    const auto& uniform = background.effects.uniform[index];
    // The gate of the row's task was made uniform for all tasks at once, whose rows are each their own.
    if (static_cast<size_t>(gate.probe) < uniform.size())
      item["uniform"] = change_json(uniform[gate.probe], background, gate.is_own ? gate.task : "");
    if (drift.contains(level.name) && drift[level.name].contains(gate.name))
      item["training"] = drift[level.name][gate.name];
    if (slices) item["slices"] = gate_by_slices(gate, *slices);
    gates.push_back(std::move(item));
  }
  return gates;
}

}  // namespace

Json tasks_json(const Background& background) {
  Json tasks = Json::object();
  for (size_t task = 0; task < background.tasks.size(); ++task) {
    const TaskFacts& facts = background.tasks[task];
    const TaskSpace& of_task = background.space.tasks[task];
    // The number of a class is a name: it has no mean.
    const bool has_moments = of_task.kind != "multiclass";
    const auto moment = [&](double value) { return has_moments ? Json(value) : Json(); };
    tasks[of_task.name] = {{"kind", of_task.kind},
                           {"labels", facts.labels},
                           {"informative_labels", facts.informative},
                           {"label_mean", moment(facts.label_mean)},
                           {"label_deviation", moment(facts.label_deviation)},
                           {"prediction_mean", moment(facts.prediction_mean)},
                           {"prediction_deviation", moment(facts.prediction_deviation)},
                           {"loss", number(background.effects.intact.loss[task])},
                           {"metric", main_metric(of_task.kind)},
                           {"value", number(facts.main)},
                           {"low", number(facts.low)},
                           {"high", number(facts.high)}};
  }
  return tasks;
}

Json levels_json(const Observed& seen, const Background& background, const Json& drift,
                 const std::optional<Slices>& slices) {
  Json levels = Json::array();
  size_t expert_place = 0;
  for (size_t index = 0; index < background.levels.size(); ++index) {
    const WatchedLevel& level = background.levels[index];
    const LevelStatistics& found = seen.levels[index];
    Json item{{"name", level.name}, {"experts", Json::array()}};
    for (size_t expert = 0; expert < level.experts.size(); ++expert, ++expert_place) {
      Json of_expert = expert_json(level.experts[expert], found.experts[expert], level.hidden);
      if (expert_place < seen.gradient_shares.size() && !seen.gradient_shares[expert_place].empty()) {
        for (size_t task = 0; task < background.space.tasks.size(); ++task) {
          of_expert["gradient_shares"][background.space.tasks[task].name] =
              seen.gradient_shares[expert_place][task];
        }
      }
      const auto& removed = background.effects.removed[index];
      if (expert < removed.size()) of_expert["removed"] = change_json(removed[expert], background);
      item["experts"].push_back(std::move(of_expert));
    }
    item["scale_spread"] = scale_spread(found);
    item["histogram_range"] = {found.histogram_low, found.histogram_high};
    item["similarity"] = expert_similarity(level);
    item["gates"] = gates_json(index, seen, background, drift, slices);
    if (level.tasks_left_out > 0) item["tasks_without_gates"] = level.tasks_left_out;
    item["gate_similarity"] = gate_similarity(level);
    if (slices) item["slices_by"] = slices->column;
    levels.push_back(std::move(item));
  }
  return levels;
}

Json gradients_json(const GradientStatistics& gradients, const Observed& seen, const Background& background) {
  Json json{{"batch_rows", gradients.batch_rows}, {"batches", gradients.batches.size()}};
  if (!gradients.why_none.empty()) json["why_none"] = gradients.why_none;
  if (gradients.unpaired_tasks > 0) json["unpaired_tasks"] = gradients.unpaired_tasks;
  json["pairs"] = Json::array();
  for (size_t pair = 0; pair < seen.cosines.size(); ++pair) {
    const auto [a, b] = gradients.pairs[pair];
    json["pairs"].push_back({{"tasks", {background.space.tasks[a].name, background.space.tasks[b].name}},
                             {"cosine", number(seen.cosines[pair])},
                             {"standard_error", number(seen.cosine_errors[pair])}});
  }
  return json;
}

Json columns_json(const std::vector<ColumnEffect>& effects, const Background& background) {
  Json columns = Json::array();
  for (const ColumnEffect& effect : effects) {
    Json permuted = change_json(effect.permuted, background);
    for (size_t task = 0; task < background.space.tasks.size(); ++task) {
      const TaskSpace& of_task = background.space.tasks[task];
      permuted[of_task.name]["standard_error"] = {
          {"loss", number(effect.errors.loss[task])},
          {main_metric(of_task.kind), number(effect.errors.main[task])}};
    }
    columns.push_back({{"column", effect.column}, {"permuted", std::move(permuted)}});
  }
  return columns;
}

}  // namespace gatewise

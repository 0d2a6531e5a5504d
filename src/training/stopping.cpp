#include "training/stopping.h"

#include <cmath>
#include <limits>

#include "base/error.h"

namespace gatewise {
namespace {

constexpr double worst = -std::numeric_limits<double>::infinity();

}  // namespace

std::string usual_metric(const std::string& kind) {
  if (kind == "binary") return "auc";
  return kind == "multiclass" ? "log_loss" : "r2";
}

void check_stop(const StopOptions& options) {
  if (!options.task.empty() && options.policy != "one") {
    command_error(
        "training.stop.task: \"{}\" decides with policy = \"one\" only, got policy = \"{}\"; drop one of "
        "them",
        options.task, options.policy);
  }
  if (!options.weights.empty() && options.policy != "mean") {
    command_error("training.stop.weights: only policy = \"mean\" weighs tasks, got \"{}\"; drop one of them",
                  options.policy);
  }
}

Stopper::Stopper(const StopOptions& options, const std::vector<TaskSpace>& tasks) : options_(options) {
  check_stop(options);
  for (const TaskSpace& task : tasks) names_.push_back(task.name);
  const auto check_name = [&](const std::string& name, const std::string& where) {
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
      command_error("{}: no task \"{}\".{}", where, name, suggestion(name, names_));
    }
  };
  if (options_.policy == "one") {
    if (options_.task.empty()) options_.task = names_.front();
    check_name(options_.task, "training.stop.task");
  }
  bool is_used = options_.metric.empty();
  for (const TaskSpace& task : tasks) {
    std::string metric = usual_metric(task.kind);
    if (!options_.metric.empty() &&
        fits_task(make_metric(options_.metric, Json::object(), "training.stop.metric")->traits(),
                  task.kind)) {
      metric = options_.metric;
      is_used = is_used || options_.policy != "one" || task.name == options_.task;
    }
    metrics_.push_back(metric);
    directions_.push_back(make_metric(metric)->traits().direction);
  }
  if (!is_used) {
    command_error("training.stop.metric: \"{}\" fits {}; take a metric that does, or none for the usual one",
                  options_.metric,
                  options_.policy == "one" ? "not task \"" + options_.task + "\"" : "no task");
  }
  for (const auto& [name, value] : options_.weights.items()) {
    check_name(name, "training.stop.weights");
    if (!value.is_number() || value.get<double>() < 0) {
      command_error("training.stop.weights.{}: got {}, expected a number of at least 0", name, value.dump());
    }
  }
  const bool has_weight = std::any_of(names_.begin(), names_.end(), [&](const std::string& name) {
    return options_.weights.value(name, 1.0) > 0;
  });
  if (!has_weight) {
    command_error(
        "training.stop.weights: got 0 for every task, expected one above 0; to train without stopping early, "
        "set training.stop.patience = 0");
  }
  check_units();
  best_.resize(names_.size());
}

void Stopper::check_units() const {
  if (options_.policy != "mean") return;
  std::vector<std::string> with_unit;
  int64_t counted = 0;
  for (size_t task = 0; task < names_.size(); ++task) {
    if (weight(task) > 0) ++counted;
    if (make_metric(metrics_[task])->traits().has_unit && !options_.weights.contains(names_[task]))
      with_unit.push_back(names_[task]);
  }
  if (counted < 2 || with_unit.empty()) return;
  command_error(
      "training.stop: policy = \"mean\" cannot add {} of {} to other tasks: it is in units of the label; "
      "take "
      "metric = \"r2\", give every such task a weight, as weights = {{{} = 0.01}}, or take another policy",
      options_.metric, fmt::join(with_unit, ", "), with_unit.front());
}

double Stopper::score(size_t task, double value) const {
  if (std::isnan(value)) return worst;
  switch (directions_[task]) {
    case Direction::Higher:
      return value;
    case Direction::Lower:
      return -value;
    case Direction::CloserToOne:
      return -std::abs(std::log(std::max(value, 1e-12)));
  }
  return value;
}

double Stopper::weight(size_t task) const { return options_.weights.value(names_[task], 1.0); }

bool Stopper::is_best(const std::vector<std::optional<double>>& values) {
  const bool is_single = options_.policy == "one" || options_.policy == "mean";
  std::vector<std::optional<double>> scores;
  if (is_single) {
    double sum = 0, weights = 0;
    for (size_t task = 0; task < names_.size(); ++task) {
      if (!values[task] || weight(task) == 0) continue;
      if (options_.policy == "one" && names_[task] != options_.task) continue;
      sum += weight(task) * score(task, *values[task]);
      weights += weight(task);
    }
    scores.push_back(weights > 0 ? std::optional(sum / weights) : std::nullopt);
  } else {
    for (size_t task = 0; task < names_.size(); ++task) {
      scores.push_back(values[task] ? std::optional(score(task, *values[task])) : std::nullopt);
    }
  }
  size_t better = 0, judged = 0, hopeless = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (!scores[i]) continue;
    ++judged;
    if (*scores[i] == worst) ++hopeless;
    if (!best_[i] || *scores[i] > *best_[i] + options_.min_change) ++better;
  }
  // Without any value there is nothing to go by: neither for this epoch nor against it.
  if (judged == 0) return true;
  const bool is_better = hopeless == 0 && better >= (options_.policy == "all" ? judged : 1);
  if (is_better) {
    for (size_t i = 0; i < scores.size(); ++i) {
      if (scores[i] && (!best_[i] || *scores[i] > *best_[i])) best_[i] = scores[i];
    }
    epochs_without_ = 0;
  } else {
    ++epochs_without_;
  }
  return is_better;
}

Json Stopper::to_json() const {
  Json best = Json::array();
  for (const auto& value : best_) best.push_back(value ? Json(*value) : Json());
  return {{"best", best}, {"epochs_without", epochs_without_}};
}

void Stopper::restore(const Json& json) {
  for (size_t i = 0; i < best_.size(); ++i) {
    const Json& value = json.at("best").at(i);
    best_[i] = value.is_null() ? std::nullopt : std::optional(value.get<double>());
  }
  epochs_without_ = json.at("epochs_without").get<int64_t>();
}

}  // namespace gatewise

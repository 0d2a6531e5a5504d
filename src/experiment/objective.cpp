#include "experiment/objective.h"

#include <map>

#include "base/error.h"
#include "training/stopping.h"

namespace gatewise {
namespace {

const TaskSpace* find_task(const std::vector<TaskSpace>& tasks, const std::string& name) {
  const auto found =
      std::find_if(tasks.begin(), tasks.end(), [&](const TaskSpace& task) { return task.name == name; });
  return found == tasks.end() ? nullptr : &*found;
}

bool is_metric(const std::string& name) { return Registry<Metric>::instance().entries().contains(name); }

// A term from "task.metric" or "task". Names of tasks may have dots in them.
Objective::Term term_of(const std::string& text, const std::vector<TaskSpace>& tasks) {
  Objective::Term term;
  const TaskSpace* task = find_task(tasks, text);
  const size_t dot = text.rfind('.');
  if (task != nullptr) {
    term.metric = usual_metric(task->kind);
  } else if (dot != std::string::npos) {
    task = find_task(tasks, text.substr(0, dot));
    term.metric = text.substr(dot + 1);
  }
  if (task == nullptr) {
    std::vector<std::string> known = Registry<Metric>::instance().names();
    for (const TaskSpace& one : tasks) known.push_back(one.name);
    command_error(
        "tune.objective: \"{}\": no such task or metric; expected a metric, a task, or task.metric.{}", text,
        suggestion(text.substr(0, dot), known));
  }
  term.task = task->name;
  const MetricTraits traits = make_metric(term.metric, Json::object(), "tune.objective")->traits();
  if (!fits_task(traits, task->kind)) {
    command_error("tune.objective: \"{}\": {} is a {} task, which {} does not fit; take another metric", text,
                  task->name, task->kind, term.metric);
  }
  term.direction = traits.direction;
  return term;
}

double goodness(const Objective::Term& term, double value) {
  if (term.direction == Direction::CloserToOne) return -std::abs(std::log(value));
  return term.direction == Direction::Higher ? value : -value;
}

// What goodness() makes of a term, in words; `is_plain`: lower is better and stays so.
std::string goodness_text(const Objective::Term& term, const std::string& factor, bool is_plain) {
  const std::string name = term.metric + " of " + term.task;
  if (term.direction == Direction::CloserToOne) return fmt::format("- {}|log {}|", factor, name);
  const bool is_turned = term.direction == Direction::Lower && !is_plain;
  return (is_turned ? "- " : "") + factor + name;
}

void add_missing(std::vector<std::string>& metrics, const std::vector<Objective::Term>& terms,
                 const std::vector<TaskSpace>& tasks) {
  const auto add = [&](const std::string& name) {
    if (std::find(metrics.begin(), metrics.end(), name) == metrics.end()) metrics.push_back(name);
  };
  if (metrics.empty()) {
    for (const TaskSpace& task : tasks) {
      for (const std::string& name : default_metrics(task.kind)) add(name);
    }
  }
  for (const Objective::Term& term : terms) add(term.metric);
}

}  // namespace

Objective Objective::read(const Json& given, const std::vector<TaskSpace>& tasks) {
  Objective objective;
  std::vector<Term>& terms = objective.terms_;
  if (given.is_string()) {
    const std::string text = given.get<std::string>();
    const bool is_one = !text.empty() && (find_task(tasks, text) != nullptr || !is_metric(text));
    if (is_one) terms.push_back(term_of(text, tasks));
    for (const TaskSpace& task : tasks) {
      if (is_one) break;
      const std::string metric = text.empty() ? usual_metric(task.kind) : text;
      const MetricTraits traits = make_metric(metric)->traits();
      if (fits_task(traits, task.kind)) terms.push_back({task.name, metric, 1, traits.direction});
    }
    if (terms.empty()) command_error("tune.objective: \"{}\" fits no task; take another metric", text);
    return objective;
  }
  if (!given.is_object())
    command_error(
        "tune.objective: got {}, expected a text as \"income.auc\", or weights as {{\"income.auc\" = 2}}",
        given.dump());
  double sum = 0;
  for (const auto& [text, weight] : given.items()) {
    if (!weight.is_number() || weight.get<double>() < 0)
      command_error("tune.objective: \"{}\": got {}, expected a weight of at least 0", text, weight.dump());
    terms.push_back(term_of(text, tasks));
    terms.back().weight = weight.get<double>();
    sum += terms.back().weight;
  }
  if (!(sum > 0)) command_error("tune.objective: got {}, expected a weight above 0", given.dump());
  std::erase_if(terms, [](const Term& term) { return term.weight == 0; });
  return objective;
}

bool Objective::is_lower_better() const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [](const Term& term) { return term.direction == Direction::Lower; });
}

std::optional<double> Objective::value(const Json& tasks) const {
  double sum = 0, weights = 0;
  for (const Term& term : terms_) {
    const Json metric = tasks.value(term.task, Json::object()).value(term.metric, Json::object());
    const Json value = metric.value("value", Json());
    if (!value.is_number()) return {};
    sum += term.weight * goodness(term, value.get<double>());
    weights += term.weight;
  }
  const double mean = sum / weights;
  if (!std::isfinite(mean)) return {};
  return is_lower_better() ? -mean : mean;
}

std::string Objective::why_undefined(const Json& tasks) const {
  for (const Term& term : terms_) {
    const Json metric = tasks.value(term.task, Json::object()).value(term.metric, Json::object());
    const Json value = metric.value("value", Json());
    const bool is_finite = value.is_number() && std::isfinite(goodness(term, value.get<double>()));
    if (is_finite) continue;
    return fmt::format("{} of {}: {}", term.metric, term.task,
                       metric.value("why_undefined", "no value that could be compared"));
  }
  return "";
}

void Objective::require(Configuration& configuration, const std::vector<TaskSpace>& tasks) const {
  add_missing(configuration.evaluation.metrics, terms_, tasks);
  add_missing(configuration.training.metrics, terms_, tasks);
}

std::optional<Json> Objective::stop_options(const std::vector<TaskSpace>& tasks) const {
  std::string metric;
  std::map<std::string, double> weights;
  for (const Term& term : terms_) {
    if (!weights.emplace(term.task, term.weight).second) return {};
    if (term.metric != usual_metric(find_task(tasks, term.task)->kind)) metric = term.metric;
  }
  const bool has_unit = !metric.empty() && make_metric(metric)->traits().has_unit;
  bool is_even = !has_unit;
  Json of_tasks = Json::object();
  for (const TaskSpace& task : tasks) {
    const double weight = weights.contains(task.name) ? weights[task.name] : 0;
    is_even = is_even && weight == terms_[0].weight;
    of_tasks[task.name] = weight;
  }
  for (const Term& term : terms_) {
    const std::string& kind = find_task(tasks, term.task)->kind;
    // It takes the place of the usual one wherever it fits.
    const bool fits = !metric.empty() && fits_task(make_metric(metric)->traits(), kind);
    if (term.metric != (fits ? metric : usual_metric(kind))) return {};
  }
  Json stop = Json::object();
  if (!metric.empty()) stop["metric"] = metric;
  if (!is_even) stop["weights"] = of_tasks;
  return stop;
}

std::string Objective::text() const {
  const bool is_even = std::all_of(terms_.begin(), terms_.end(),
                                   [&](const Term& term) { return term.weight == terms_[0].weight; });
  std::vector<std::string> parts;
  for (const Term& term : terms_)
    parts.push_back(goodness_text(term, is_even ? "" : fmt::format("{} x ", term.weight), is_lower_better()));
  return fmt::format("{}{}", terms_.size() > 1 ? "mean of " : "", fmt::join(parts, ", "));
}

Json Objective::to_json() const {
  Json terms = Json::array();
  for (const Term& term : terms_)
    terms.push_back({{"task", term.task},
                     {"metric", term.metric},
                     {"weight", term.weight},
                     {"direction", to_string(term.direction)}});
  return {{"text", text()},
          {"terms", terms},
          {"better", is_lower_better() ? "lower" : "higher"},
          {"part", "validation"}};
}

}  // namespace gatewise

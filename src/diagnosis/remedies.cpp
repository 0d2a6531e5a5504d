#include "diagnosis/remedies.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/registry.h"
#include "gates/gate.h"
#include "losses/loss.h"
#include "training/model.h"

namespace gatewise {
namespace {

// What stands at a dotted path; null where nothing does. A part may hold a task's or column's name with dots:
// "tasks/a.b/weight" is then written with the name between the first and the last dot.
std::vector<std::string> parts_of(const std::string& path) {
  const size_t first = path.find('.'), last = path.rfind('.');
  if (path.starts_with("tasks.") || path.starts_with("columns."))
    return {path.substr(0, first), path.substr(first + 1, last - first - 1), path.substr(last + 1)};
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('.', begin), path.size());
    parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

Json value_at(const Json& configuration, const std::string& path) {
  const Json* at = &configuration;
  for (const std::string& part : parts_of(path)) {
    if (!at->is_object() || !at->contains(part)) return {};
    at = &(*at)[part];
  }
  return *at;
}

double number_at(const Json& configuration, const std::string& path, double fallback) {
  const Json value = value_at(configuration, path);
  return value.is_number() ? value.get<double>() : fallback;
}

std::string type_of_model(const Json& configuration) {
  const Json type = value_at(configuration, "model.type");
  return type.is_string() ? type.get<std::string>() : "";
}

// A saved model may have parts of a plug-in that is not loaded.
template <class Part>
bool is_known(const std::string& name) {
  const std::vector<std::string> names = Registry<Part>::instance().names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

// None of an unknown part.
template <class Part>
Json options_of(const std::string& name) {
  return is_known<Part>(name) ? Registry<Part>::instance().find(name, "part", name).options : Json::array();
}

bool has_option(const std::string& type, const std::string& name) {
  const Json options = options_of<Architecture>(type);
  return std::any_of(options.begin(), options.end(),
                     [&](const Json& known) { return known["name"] == name; });
}

Remedy gentler(const Json& configuration, const std::string& why) {
  const double rate = number_at(configuration, "training.optimiser.rate", 0.001);
  return {fmt::format("{}: a learning rate of {:.3g} instead of {:.3g}", why, rate / 3, rate),
          {{"training.optimiser.rate", rate / 3}}};
}

Remedy steadier_experts(const Json& configuration) {
  const std::string expert = "model.expert.", type = type_of_model(configuration);
  Remedy remedy;
  if (type == "tensor_factorization") {
    remedy = gentler(configuration, "learn more slowly, so that units do not die");
    remedy.changes[expert + "activation"] = "leaky_relu";
    return remedy;
  }
  if (!has_option(type, "expert")) return gentler(configuration, "learn more slowly");
  // Experts of limited capacity do not read every row, as batch norm would.
  const bool is_limited = number_at(configuration, "model.gate.capacity_factor", 0) > 0;
  const std::string normalisation = is_limited ? "layer" : "batch";
  if (value_at(configuration, expert + "normalisation") == normalisation &&
      value_at(configuration, expert + "activation") == "swish")
    return gentler(configuration, "the experts are normalised already, so learn more slowly");
  return {fmt::format("normalise the experts, and use an activation without dead half ({})",
                      is_limited ? "layer norm and swish" : "batch norm and swish, as HoME does"),
          {{expert + "normalisation", normalisation}, {expert + "activation", "swish"}}};
}

// What gives the tasks of an mmoe experts of their own and keeps its levels; empty where it has layers below
// its experts, which no such architecture has.
std::string type_with_own_experts(const Json& configuration) {
  const Json bottom = value_at(configuration, "model.bottom");
  if (type_of_model(configuration) != "mmoe" || (bottom.is_array() && !bottom.empty())) return "";
  return number_at(configuration, "model.levels", 1) > 1 ? "ple" : "cgc";
}

// Experts of each task's own, for architectures that have none.
Remedy own_experts(const Json& configuration) {
  const std::string type = type_of_model(configuration);
  if (type == "shared_bottom" || type == "omoe")
    return {"give every task a gate of its own over the experts (mmoe)", {{"model.type", "mmoe"}}};
  const auto experts = static_cast<int64_t>(number_at(configuration, "model.experts", 4));
  if (const std::string parted = type_with_own_experts(configuration); !parted.empty()) {
    return {fmt::format("give every task an expert of its own beside the shared ones ({})", parted),
            {{"model.type", parted},
             {"model.shared_experts", std::max<int64_t>(1, experts - 1)},
             {"model.task_experts", 1}}};
  }
  if (has_option(type, "task_experts")) {
    const auto own = static_cast<int64_t>(number_at(configuration, "model.task_experts", 1));
    return {fmt::format("give every task more experts of its own: {} instead of {}", own + 1, own),
            {{"model.task_experts", own + 1}}};
  }
  return {"let fewer parameters be shared: a model with experts of each task's own, as cgc", Json::object()};
}

// Experts of each task's own instead of as many shared ones as single tasks have made theirs.
Remedy own_instead_of_captured(const Verdict& verdict, const Json& configuration) {
  const std::string type = type_of_model(configuration);
  if (type == "home") {
    return {
        "single tasks have taken experts: let every task gate experts of its own beside the shared ones at "
        "every "
        "level (ple), or leave it, as long as no task suffers",
        Json::object()};
  }
  const std::string parted = type_with_own_experts(configuration);
  if (parted.empty()) {
    return {
        "single tasks have taken experts: let groups of tasks keep theirs apart (home), or leave it, as "
        "long as no task suffers",
        Json::object()};
  }
  const auto experts = static_cast<int64_t>(number_at(configuration, "model.experts", 8));
  const auto captured = verdict.evidence["captured_in_level"].get<int64_t>();
  const auto tasks = static_cast<int64_t>(verdict.evidence["by_task"].size());
  const int64_t own = std::max<int64_t>(1, captured / tasks);
  return {fmt::format("single tasks have taken experts: give every task {} of its own and share the rest "
                      "({}), or leave it, as long as no task suffers",
                      own, parted),
          {{"model.type", parted},
           {"model.task_experts", own},
           {"model.shared_experts", std::max<int64_t>(1, experts - captured)}}};
}

// Labels this far apart, unscaled, make a loss that outweighs those of other tasks.
constexpr double wide_labels = 2;

// Of a loss that takes labels in their own units alone.
bool is_of_own_units(const Json& configuration, const std::string& task) {
  const std::string path = "tasks." + task + ".loss";
  const Json loss = value_at(configuration, path), options = value_at(configuration, path + "_options");
  if (!loss.is_string() || !is_known<Loss>(loss.get<std::string>())) return false;
  return Registry<Loss>::instance()
      .find(loss.get<std::string>(), "loss", path)
      .make(options.is_object() ? options : Json::object(), path + "_options")
      ->least_label()
      .has_value();
}

// Where scaling its labels is the first thing to do for a task; nothing elsewhere.
std::optional<Remedy> scaled_labels(const std::string& task, const Json& configuration) {
  const std::string path = "tasks." + task + ".";
  if (value_at(configuration, path + "kind") != "regression" ||
      value_at(configuration, path + "transform") != "none" || is_of_own_units(configuration, task))
    return {};
  return Remedy{"scale the labels of " + task, {{path + "transform", "standardise"}}};
}

Remedy for_degradation(const Verdict& verdict, const Json& configuration) {
  const std::string& task = verdict.tasks[0];
  const double deviation = verdict.evidence.value("label_deviation", 0.0);
  if (std::optional<Remedy> scaled = scaled_labels(task, configuration); scaled && deviation > wide_labels) {
    scaled->text += fmt::format(
        " first: their deviation of {:.3g} makes its loss, and so its gradient, outweigh the others",
        deviation);
    return *scaled;
  }
  if (2 * verdict.evidence.value("captured_by_this_task", int64_t{1}) <=
      verdict.evidence.value("shared_experts", int64_t{1}))
    return own_instead_of_captured(verdict, configuration);
  const std::string path = "tasks." + task + ".weight";
  const double share = verdict.evidence["gradient_share"].get<double>();
  const auto tasks = static_cast<double>(verdict.evidence["by_task"].size());
  // With this factor the task would give the mean of what the others give, but at most a tenfold change.
  const double factor = std::max(0.1, (1 - share) / (share * std::max(1.0, tasks - 1)));
  const double weight = number_at(configuration, path, 1) * factor;
  const std::string type = type_of_model(configuration);
  std::string others;
  for (const char* other : {"cgc", "ple", "home"})
    if (type != other) others += (others.empty() ? "" : ", ") + std::string(other);
  return {fmt::format("let task {} pull less: a weight of {:.3g}; where it should rule, give the other tasks "
                      "experts of their own ({})",
                      task, weight, others),
          {{path, weight}}};
}

Remedy for_underfitting(const Verdict& verdict, const Json& configuration) {
  const std::string path = "tasks." + verdict.tasks[0] + ".weight";
  if (has_option(type_of_model(configuration), "layer_2_self_gate") &&
      value_at(configuration, "model.layer_2_self_gate") != true) {
    return {"let tasks reach their own experts by a gate over them alone (home's self gate in layer 2)",
            {{"model.layer_2_self_gate", true}}};
  }
  const double weight = 3 * number_at(configuration, path, 1);
  return {fmt::format("let task {} pull more: a weight of {:.3g}; or save its own experts", verdict.tasks[0],
                      weight),
          {{path, weight}}};
}

constexpr double least_balance = 0.01;

// Three times a number, or the values of a schedule; at least `least` where that is 0.
Json three_times(const Json& value, double least) {
  // In the digits that people write: three times 0.1 is 0.3.
  const auto thrice = [](const Json& number) {
    return std::stod(fmt::format("{:.6g}", 3 * number.get<double>()));
  };
  if (value.is_number()) return std::max(least, thrice(value));
  if (value.value("from", 0.0) == 0 && value.value("to", 0.0) == 0) return least;
  Json schedule = value;
  for (const char* end : {"from", "to"}) schedule[end] = thrice(value.at(end));
  return schedule;
}

// What of a gate spreads rows over the experts, made stronger; nothing where it has no such option.
std::optional<Remedy> stronger_balance(const Json& gate, const std::string& type) {
  Remedy remedy;
  std::string words;
  for (const Json& option : options_of<Gate>(type)) {
    const auto name = option["name"].get<std::string>();
    const Json value = gate.value(name, option["default"]);
    Json stronger;
    if (name == "balance_weight" || name == "importance_weight" || name == "load_weight")
      stronger = three_times(value, least_balance);
    if (name == "update_rate") stronger = std::min(1.0, three_times(value, 1e-3).get<double>());
    if (stronger.is_null() || stronger == value) continue;
    remedy.changes["model.gate." + name] = stronger;
    words += fmt::format("{}{} of {}", words.empty() ? "" : ", ", name, stronger.dump());
  }
  if (remedy.changes.empty()) return {};
  remedy.text = "spread the rows over the experts: " + words;
  return remedy;
}

Remedy for_polarisation(const Json& configuration) {
  if (!has_option(type_of_model(configuration), "gate"))
    return gentler(configuration, "let the gate settle later");
  const Json found = value_at(configuration, "model.gate");
  const Json gate = found.is_object() ? found : Json::object();
  const std::string type = gate.value("type", "softmax");
  if (type == "softmax") {
    Json sparse{{"type", "top_k"}, {"k", 2}, {"balance_weight", least_balance}};
    for (const Json& option : options_of<Gate>("top_k")) {
      const auto name = option["name"].get<std::string>();
      if (gate.contains(name) && !sparse.contains(name)) sparse[name] = gate[name];
    }
    return {"let the gate choose its two best experts under a loss that spreads rows over all (top_k)",
            {{"model.gate", std::move(sparse)}}};
  }
  if (std::optional<Remedy> balanced = stronger_balance(gate, type)) return *balanced;
  return gentler(configuration, "let the gate settle later");
}

// The option that says how many experts there are of this one's kind: "task_experts" of
// "levels/1/task_experts/income/0", which makes as many for every task.
std::string option_of(const std::string& expert) {
  for (const char* name : {"task_experts", "group_experts", "shared_experts"}) {
    if (("/" + expert).find("/" + std::string(name) + "/") != std::string::npos) return name;
  }
  return "experts";
}

Remedy for_unused(const Verdict& verdict, const Json& configuration) {
  const std::string name = option_of(verdict.expert), path = "model." + name;
  std::string words = name;
  std::replace(words.begin(), words.end(), '_', ' ');
  const auto unused_here = verdict.evidence.value("unused_in_level", int64_t{1});
  const auto experts = static_cast<int64_t>(number_at(configuration, path, 0));
  if (experts > 1 && has_option(type_of_model(configuration), name)) {
    const int64_t fewer = std::max<int64_t>(1, experts - unused_here);
    return {fmt::format("save what is not used: {} {} instead of {}", fewer, words, experts),
            {{path, fewer}}};
  }
  if (name != "experts") {
    return {fmt::format("nothing reads {}: leave it, or choose a model without {}", verdict.expert, words),
            Json::object()};
  }
  return gentler(configuration, "let the gate settle later");
}

Remedy for_silent_failure(const Verdict& verdict, const Json& configuration) {
  const std::string cause = verdict.evidence["cause"].get<std::string>();
  const std::string task = verdict.tasks[0];
  Remedy remedy;
  if (verdict.evidence.contains("wild_columns")) {
    remedy.text = "scale the columns that reach far by their quantiles, vectors by logarithms";
    for (const Json& column : verdict.evidence["wild_columns"]) {
      const std::string path = "columns." + column.get<std::string>() + ".";
      const std::string transform = value_at(configuration, path + "role") == "vector" ? "log1p" : "quantile";
      if (value_at(configuration, path + "transform") != transform)
        remedy.changes[path + "transform"] = transform;
    }
    if (remedy.changes.empty()) remedy.text = "look at the columns that reach far, which are scaled already";
    return remedy;
  }
  if (const std::optional<Remedy> scaled = scaled_labels(task, configuration)) return *scaled;
  remedy = gentler(configuration, cause == "scale" ? "learn more slowly, to the end" : "learn more slowly");
  remedy.text += "; check the labels of " + task + " and whether its columns tell anything about it";
  return remedy;
}

}  // namespace

Remedy remedy_for(const Verdict& verdict, const Json& configuration) {
  if (verdict.kind == "collapse") return steadier_experts(configuration);
  if (verdict.kind == "degradation") return for_degradation(verdict, configuration);
  if (verdict.kind == "underfitting") return for_underfitting(verdict, configuration);
  if (verdict.kind == "polarisation") return for_polarisation(configuration);
  if (verdict.kind == "unused_expert") return for_unused(verdict, configuration);
  if (verdict.kind == "task_conflict") return own_experts(configuration);
  return for_silent_failure(verdict, configuration);
}

Json suggested_configuration(const Json& configuration, const std::vector<Remedy>& remedies) {
  Json changed = configuration;
  std::vector<std::string> done;
  for (const Remedy& remedy : remedies) {
    for (const auto& [path, value] : remedy.changes.items()) {
      // A change below or above one that is made already would undo it.
      const bool is_taken =
          std::any_of(done.begin(), done.end(), [&, &new_path = path](const std::string& other) {
            return new_path.starts_with(other) || other.starts_with(new_path);
          });
      if (is_taken) continue;
      done.push_back(path);
      Json* at = &changed;
      for (const std::string& part : parts_of(path)) at = &(*at)[part];
      *at = value;
    }
  }
  if (done.empty()) data_error("suggestion: there is no verdict that a changed setting answers");
  if (changed.contains("model")) leave_out_foreign_options(changed["model"]);
  if (changed == configuration) {
    data_error("suggestion: got {}, which the model has already or its architecture does not have",
               fmt::join(done, ", "));
  }
  const Json output = value_at(configuration, "output.model");
  const std::string name =
      output.is_string() && !output.get<std::string>().empty() ? output.get<std::string>() : "model";
  changed["output"]["model"] = name + ".suggested";
  return changed;
}

}  // namespace gatewise

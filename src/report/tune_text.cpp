#include "report/tune_text.h"

#include <map>

#include "report/metrics_text.h"
#include "report/numbers.h"
#include "report/text_table.h"

namespace gatewise {
namespace {

constexpr size_t most_trials = 8;

// The shortest end of a path that no other name has.
std::string short_name(const std::string& name, const Json& values) {
  for (size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0; dot = name.rfind('.', dot - 1)) {
    const std::string end = name.substr(dot);
    int uses = 0;
    for (const auto& [other, value] : values.items()) uses += ("." + other).ends_with(end);
    if (uses == 1) return end.substr(1);
  }
  return name;
}

// The settings of a trial on one line.
std::string settings_text(const Json& values) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : values.items())
    parts.push_back(fmt::format("{}={}", short_name(name, values), setting_text(value)));
  return fmt::format("{}", fmt::join(parts, " "));
}

std::string range_text(const Json& dimension) {
  if (dimension["kind"] == "choice") {
    std::vector<std::string> choices;
    for (const Json& choice : dimension["choices"]) choices.push_back(setting_text(choice));
    return fmt::format("{}", fmt::join(choices, ", "));
  }
  return fmt::format("{} to {}{}", setting_text(dimension["min"]), setting_text(dimension["max"]),
                     dimension["log"].get<bool>() ? ", log" : "");
}

std::map<std::string, std::string> importance_by_name(const Json& result) {
  std::map<std::string, std::string> shares;
  for (const Json& option : result["importance"]["options"]) {
    shares[option["name"].get<std::string>()] = fmt::format(
        "{:.0f} % ({:.0f} %)", 100 * option["in_all"].get<double>(), 100 * option["alone"].get<double>());
  }
  return shares;
}

std::string best_text(const Json& result, const Style& style) {
  const Json& best = result["best"];
  TextTable table;
  for (const char* heading : {"option", "best", "searched"}) table.add_column(heading);
  std::map<std::string, std::string> shares = importance_by_name(result);
  if (!shares.empty()) table.add_column("importance (alone)");
  for (const Json& dimension : result["space"]) {
    const std::string name = dimension["name"].get<std::string>();
    std::vector<std::string> cells{name, setting_text(best["values"][name]), range_text(dimension)};
    if (!shares.empty()) cells.push_back(shares[name]);
    table.add_row(std::move(cells));
  }
  std::string text = table.text(style, 2);
  const std::string why_none = result["importance"].value("why_none", "");
  if (!why_none.empty()) text += "  without the importance of the options: " + why_none + "\n";
  for (const auto& [part, metrics] : best["metrics"].items()) {
    const std::string aside = part == "validation" ? ", which the search has seen" : "";
    text += "\n" + style.heading("trial " + best["number"].dump() + " on " + part + " rows" + aside) + "\n" +
            metrics_text(metrics, style);
  }
  return text;
}

std::string trials_text(const Json& result, const Style& style) {
  std::vector<Json> ranked;
  for (const Json& trial : result["trials"]) {
    if (trial.contains("value")) ranked.push_back(trial);
  }
  const double sign = result["objective"]["better"] == "lower" ? 1 : -1;
  const auto rank = [&](const Json& trial) {
    return std::pair(trial["status"] == "cut", sign * trial["value"].get<double>());
  };
  std::stable_sort(ranked.begin(), ranked.end(),
                   [&](const Json& a, const Json& b) { return rank(a) < rank(b); });
  TextTable table;
  table.add_column("trial", Align::Right);
  table.add_column("value", Align::Right);
  table.add_column("epochs", Align::Right);
  table.add_column("parameters", Align::Right);
  table.add_column("settings");
  for (size_t i = 0; i < std::min(ranked.size(), most_trials); ++i) {
    const Json& trial = ranked[i];
    table.add_row({trial["number"].dump(), value_text(trial["value"].get<double>()), trial["epochs"].dump(),
                   count_text(trial["parameters"]["total"].get<int64_t>()), settings_text(trial["values"])});
  }
  return "\n" + style.heading("best trials") + "\n" + table.text(style, 2);
}

}  // namespace

std::string setting_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? fmt::format("{:.4g}", value.get<double>()) : value.dump();
}

std::string trial_text(const Json& trial, const Json& best, int64_t trials) {
  const std::string place =
      fmt::format("trial {:>{}}/{}", trial["number"].get<int64_t>(), std::to_string(trials).size(), trials);
  std::string outcome = "failed";
  if (trial.contains("value")) {
    outcome = value_text(trial["value"].get<double>());
    if (trial["status"] == "cut") outcome += fmt::format(" (ended after epoch {})", trial["epochs"].dump());
    if (trial.value("value", Json()) == best) outcome += " *";
  }
  std::string text = fmt::format("{}  {}  {}", place, outcome, settings_text(trial["values"]));
  if (trial.contains("error")) text += "; " + trial["error"].get<std::string>();
  return text;
}

std::string tune_text(const Json& result, const Style& style) {
  std::map<std::string, int64_t> counts;
  for (const Json& trial : result["trials"]) ++counts[trial["status"].get<std::string>()];
  std::string text = fmt::format("{} trials", result["trials"].size());
  if (counts["cut"] > 0) text += fmt::format(", {} ended early", counts["cut"]);
  if (counts["failed"] > 0) text += fmt::format(", {} failed", counts["failed"]);
  if (result.contains("seconds")) text += ", " + duration_text(result["seconds"].get<double>());
  if (static_cast<int64_t>(result["trials"].size()) < result["settings"]["trials"].get<int64_t>())
    text += "; there is no other allowed point";
  text += "\n";
  if (!result.contains("best")) return text + "no trial succeeded\n";
  const Json& first = result["trials"][0];
  const bool has_base = first["proposed_by"] == "first" && first.contains("value");
  text += style.heading(fmt::format("best {}: {}", result["objective"]["text"].get<std::string>(),
                                    value_text(result["best"]["value"].get<double>())));
  if (has_base) text += fmt::format(" (where it started: {})", value_text(first["value"].get<double>()));
  return text + "\n\n" + best_text(result, style) + trials_text(result, style);
}

}  // namespace gatewise

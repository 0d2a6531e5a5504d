#include "report/tune_report.h"

#include <algorithm>

#include "report/numbers.h"
#include "report/report_parts.h"

namespace gatewise {
namespace {

const Json* most_important(const Json& result) {
  const Json* most = nullptr;
  for (const Json& option : result["importance"]["options"]) {
    if (most == nullptr || option["in_all"] > (*most)["in_all"]) most = &option;
  }
  return most;
}

std::string tune_headline(const Json& result) {
  const Json& trials = result["trials"];
  if (!result.contains("best")) return fmt::format("None of {} trials succeeded.", trials.size());
  const Json& best = result["best"];
  std::string text =
      fmt::format("Of {} trials number {} is best: {} {}", trials.size(), best["number"].dump(),
                  result["objective"]["text"].get<std::string>(), value_text(best["value"].get<double>()));
  const Json& first = trials[0];
  if (first.value("proposed_by", "") == "first" && first.contains("value"))
    text += fmt::format(", where the search began with {}", value_text(first["value"].get<double>()));
  text += ".";
  if (const Json* most = most_important(result)) {
    text += fmt::format(" {} matters most: it has a part in {:.0f} % of the differences.",
                        (*most)["name"].get<std::string>(), 100 * (*most)["in_all"].get<double>());
  }
  return text;
}

// A trial's state as the legend says it.
std::string status_text(const Json& trial) {
  const std::string status = trial["status"];
  return status == "cut" ? "ended early" : status;
}

Json shown_setting(const Json& value) {
  return value.is_primitive() ? value : Json(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

DataTable best_table(const Json& result) {
  DataTable table{{"option", "best", "from", "to", "scale", "importance alone", "importance in all"}, {}};
  for (const Json& dimension : result["space"]) {
    const std::string name = dimension["name"];
    Json alone, in_all;
    for (const Json& option : result["importance"]["options"]) {
      if (option["name"] != name) continue;
      alone = option["alone"];
      in_all = option["in_all"];
    }
    const bool is_choice = dimension["kind"] == "choice";
    table.add({name, shown_setting(result["best"]["values"][name]),
               is_choice ? Json(dimension["choices"].dump()) : dimension["min"],
               is_choice ? Json() : dimension["max"],
               is_choice                       ? "choice"
               : dimension.value("log", false) ? "log"
                                               : "linear",
               alone, in_all});
  }
  return table;
}

Figure importance_figure(const Json& result) {
  Figure figure;
  figure.kind = "bars";
  figure.title = "Importance of the options";
  figure.note =
      "shares of the variance of the objective over the whole space, as a Gaussian process sees it from the "
      "trials: by the option alone, and in all with its interactions (Sobol indices)";
  figure.x = {"share", "share of the variance"};
  figure.y = {"option", "", "category"};
  figure.series = "share of";
  figure.data.columns = {"option", "share", "share of"};
  std::vector<Json> options(result["importance"]["options"].begin(), result["importance"]["options"].end());
  std::stable_sort(options.begin(), options.end(),
                   [](const Json& a, const Json& b) { return a["in_all"] > b["in_all"]; });
  for (const Json& option : options) {
    figure.data.add({option["name"], option["alone"], "alone"});
    figure.data.add({option["name"], option["in_all"], "in all"});
  }
  return figure;
}

Figure history_figure(const Json& result) {
  Figure figure;
  figure.kind = "lines";
  figure.title = "Value of every trial, and the best so far";
  figure.note = result["objective"]["better"].get<std::string>() + " is better";
  figure.x = {"trial", "trial"};
  figure.y = {"value", result["objective"]["text"].get<std::string>()};
  figure.series = "status";
  figure.styles = {{"finished", "points"}, {"ended early", "points"}, {"best so far", "steps"}};
  figure.data.columns = {"trial", "value", "status"};
  const Json& trials = result["trials"];
  for (size_t i = 0; i < trials.size(); ++i) {
    if (result["convergence"][i].is_number())
      figure.data.add({trials[i]["number"], result["convergence"][i], "best so far"});
  }
  for (const Json& trial : trials) {
    if (trial.contains("value")) figure.data.add({trial["number"], trial["value"], status_text(trial)});
  }
  return figure;
}

// The value of every trial over one of its numbers; `pick` gives it.
template <class Pick>
Figure value_over(const Json& result, const std::string& title, const std::string& scale, Pick pick) {
  Figure figure;
  figure.kind = "lines";
  figure.title = title;
  figure.x = {"setting", title, scale};
  figure.y = {"value", "value"};
  figure.series = "status";
  figure.styles = {{"finished", "points"}, {"ended early", "points"}};
  figure.data.columns = {"setting", "value", "status", "trial"};
  for (const Json& trial : result["trials"]) {
    if (!trial.contains("value")) continue;
    const Json setting = pick(trial);
    if (!setting.is_null()) figure.data.add({setting, trial["value"], status_text(trial), trial["number"]});
  }
  return figure;
}

void add_options(Report& report, const Json& result) {
  report.section("Value over each option");
  for (const Json& dimension : result["space"]) {
    const std::string name = dimension["name"];
    const bool is_choice = dimension["kind"] == "choice";
    const std::string scale = is_choice ? "category" : dimension.value("log", false) ? "log" : "number";
    report.figure(value_over(result, name, scale, [&](const Json& trial) {
      const Json setting = shown_setting(trial["values"].value(name, Json()));
      return is_choice && !setting.is_string() && !setting.is_null() ? Json(setting.dump()) : setting;
    }));
  }
  report.figure(value_over(result, "parameters of the model", "log", [](const Json& trial) {
    return number_or_null(trial.value("parameters", Json::object()), "total");
  }));
}

DataTable trials_table(const Json& result) {
  DataTable table{{"trial", "value", "status", "epochs", "parameters", "seconds", "proposed by"}, {}};
  for (const Json& dimension : result["space"]) table.columns.push_back(dimension["name"]);
  table.columns.emplace_back("error");
  for (const Json& trial : result["trials"]) {
    const Json parameters = trial.value("parameters", Json::object());
    std::vector<Json> row{trial["number"],
                          number_or_null(trial, "value"),
                          status_text(trial),
                          number_or_null(trial, "epochs"),
                          number_or_null(parameters, "total"),
                          number_or_null(trial, "seconds"),
                          trial.value("proposed_by", "")};
    for (const Json& dimension : result["space"])
      row.push_back(shown_setting(trial["values"].value(dimension["name"].get<std::string>(), Json())));
    row.emplace_back(trial.value("error", ""));
    table.add(std::move(row));
  }
  return table;
}

}  // namespace

Report tune_report(const Json& result) {
  Report report(fmt::format("Search for settings: {} trials", result["trials"].size()),
                tune_headline(result));
  if (result.contains("best")) {
    report.section("The best settings");
    const std::string why_none = result["importance"].value("why_none", "");
    report.table(best_table(result), "",
                 why_none.empty() ? "importance: shares of the variance of the objective, see the figure"
                                  : "without the importance of the options: " + why_none);
    report.figure(importance_figure(result));
    report.figure(history_figure(result));
    add_options(report, result);
    for (const auto& [part, evaluation] : result["best"]["metrics"].items()) {
      report.section("Trial " + result["best"]["number"].dump() + " on " + part + " rows");
      if (part == "validation")
        report.text(
            "The search has chosen the settings by these rows: others will be judged somewhat worse.");
      add_metrics(report, evaluation, part);
    }
  }
  report.section("Every trial");
  report.table(trials_table(result));
  report.section("Settings of the search");
  report.table(flat_table(result["settings"]));
  return report;
}

}  // namespace gatewise

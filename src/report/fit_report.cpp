#include "report/fit_report.h"

#include <algorithm>
#include <filesystem>

#include "report/numbers.h"
#include "report/report_parts.h"

namespace gatewise {
namespace {

// The part that the results are about: the one furthest from training.
std::string judged_part(const Json& metrics) {
  for (const char* part : {"test", "validation"}) {
    if (metrics.contains(part)) return part;
  }
  return "train";
}

// "income reaches AUC 0.9472 (0.9450 to 0.9493)" for a few tasks, the best and the worst of many.
std::string reached_text(const Json& tasks) {
  struct Reached {
    std::string task, metric, text;
    double value;
  };
  std::vector<Reached> reached;
  for (const auto& [task, metrics] : tasks.items()) {
    if (metrics.empty()) continue;
    const auto first = metrics.begin();
    const Json value = number_or_null(first.value(), "value");
    reached.push_back({task, first.key(),
                       metric_title(first.key()) + " " + value_with_interval(first.value()),
                       value.is_null() ? 0 : value.get<double>()});
  }
  constexpr size_t few = 4;
  const bool is_one_metric = std::all_of(reached.begin(), reached.end(), [&](const Reached& one) {
    return one.metric == reached.front().metric;
  });
  if (reached.size() > few && is_one_metric) {
    const auto by_value = [](const Reached& a, const Reached& b) { return a.value < b.value; };
    const auto [low, high] = std::minmax_element(reached.begin(), reached.end(), by_value);
    return fmt::format("{} tasks lie between {} for {} and {} for {}", reached.size(), low->text, low->task,
                       high->text, high->task);
  }
  std::vector<std::string> texts;
  for (size_t i = 0; i < std::min(few, reached.size()); ++i)
    texts.push_back(fmt::format("{} reaches {}", reached[i].task, reached[i].text));
  if (reached.size() > few) texts.push_back(fmt::format("{} further tasks are below", reached.size() - few));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string fit_headline(const Json& result) {
  const std::string part = judged_part(result["metrics"]);
  const Json &judged = result["metrics"][part], &history = result["history"];
  const size_t epochs = history["epochs"].size();
  std::string text = fmt::format("On {} {} rows {}.", count_text(judged["rows"].get<int64_t>()), part,
                                 reached_text(judged["tasks"]));
  const Json best = history.value("best_epoch", Json());
  if (best.is_number()) text += fmt::format(" The best of {} epochs was number {}", epochs, best.dump());
  const std::string stopped_by = history.value("stopped_by", "");
  if (stopped_by == "patience") text += "; training stopped because validation no longer improved";
  if (best.is_number()) text += ".";
  const size_t warnings = history.value("warnings", Json::array()).size();
  if (warnings > 0)
    text += fmt::format(" {} {} to look at.", warnings, warnings == 1 ? "warning" : "warnings");
  return text;
}

Figure epochs_figure(std::string title, std::string quantity, const Json& history) {
  Figure figure;
  figure.kind = "lines";
  figure.title = std::move(title);
  figure.x = {"epoch", "epoch"};
  figure.y = {"value", std::move(quantity)};
  figure.data.columns = {"epoch", "value"};
  const Json best = history.value("best_epoch", Json());
  if (best.is_number() && history["epochs"].size() > 1)
    figure.marks.push_back({best.get<double>(), "best", true});
  return figure;
}

// Adds what `pick` finds in every epoch (null: nothing), as the line `series` where lines are told apart.
template <class Pick>
void add_epochs(Figure& figure, const Json& history, const std::string& series, Pick pick) {
  for (const Json& epoch : history["epochs"]) {
    const Json value = pick(epoch);
    if (!value.is_number()) continue;
    std::vector<Json> row{epoch["epoch"], value};
    if (!figure.series.empty()) row.emplace_back(series);
    figure.data.add(std::move(row));
  }
}

// The loss and the validation metrics of some tasks, a figure each.
void add_curves_of(Report& report, const Json& history, const std::vector<std::string>& tasks) {
  const bool is_one = tasks.size() == 1;
  const std::string whose = is_one ? tasks[0] + ": " : "";
  const auto curves = [&](const std::string& what, const std::string& quantity, auto&& pick) {
    Figure figure = epochs_figure(whose + what, quantity, history);
    if (!is_one) {
      figure.series = "task";
      figure.data.columns.emplace_back("task");
    }
    for (const std::string& task : tasks)
      add_epochs(figure, history, task, [&](const Json& epoch) { return pick(epoch, task); });
    return figure;
  };
  report.figure(curves("training loss", "loss", [](const Json& epoch, const std::string& task) {
    return number_or_null(epoch["losses"], task.c_str());
  }));
  std::vector<std::string> metrics;
  const Json validation = history["epochs"][0].value("validation", Json::object());
  for (const std::string& task : tasks) {
    const Json of_task = validation.value(task, Json::object());
    for (const auto& [metric, value] : of_task.items()) {
      if (std::find(metrics.begin(), metrics.end(), metric) == metrics.end()) metrics.push_back(metric);
    }
  }
  for (const std::string& metric : metrics) {
    report.figure(curves(metric_title(metric) + " on validation rows", metric_title(metric),
                         [&](const Json& epoch, const std::string& task) {
                           const Json& of_task = epoch["validation"][task];
                           return of_task.contains(metric) ? number_or_null(of_task[metric], "value")
                                                           : Json();
                         }));
  }
}

// A few tasks have figures of their own; many share them.
void add_learning_curves(Report& report, const Json& history) {
  constexpr size_t few = 4;
  report.section("Learning curves");
  if (history["epochs"].empty()) return;
  std::vector<std::string> tasks;
  const Json losses = history["epochs"][0].value("losses", Json::object());
  for (const auto& [task, loss] : losses.items()) tasks.push_back(task);
  if (tasks.size() > few) return add_curves_of(report, history, tasks);
  for (const std::string& task : tasks) add_curves_of(report, history, {task});
}

void add_course(Report& report, const Json& history) {
  report.section("Course of training");
  const auto add = [&](const char* key, const char* title, const char* quantity) {
    Figure figure = epochs_figure(title, quantity, history);
    add_epochs(figure, history, "", [&](const Json& epoch) { return number_or_null(epoch, key); });
    report.figure(figure);
  };
  add("loss", "Loss of all tasks with penalties", "loss");
  Figure penalties = epochs_figure("Penalties, as they count in the loss", "penalty", history);
  penalties.series = "penalty";
  penalties.data.columns.emplace_back("penalty");
  for (const Json& epoch : history["epochs"]) {
    const Json of_epoch = epoch.value("penalties", Json::object());
    for (const auto& [name, value] : of_epoch.items()) penalties.data.add({epoch["epoch"], value, name});
  }
  report.figure(penalties);
  add("rate", "Learning rate", "rate");
  add("rows_per_second", "Training speed", "rows per second");
}

DataTable overview(const Json& result) {
  DataTable table{{"property", "value"}, {}};
  const Json& configuration = result["configuration"];
  table.add({"architecture", configuration["model"]["type"]});
  table.add({"model", result["model"]});
  table.add({"parameters", count_text(result["parameters"].get<int64_t>())});
  for (const auto& [part, rows] : result["rows"].items())
    table.add({part + " rows", count_text(rows.get<int64_t>())});
  table.add({"seed", configuration["training"]["seed"].dump()});
  return table;
}

}  // namespace

Report fit_report(const Json& result) {
  const Json &history = result["history"], &metrics = result["metrics"];
  const std::string part = judged_part(metrics);
  const std::string type = result["configuration"]["model"]["type"];
  const size_t tasks = metrics[part]["tasks"].size();
  const std::string name = std::filesystem::path(result["model"].get<std::string>()).filename().string();
  Report report(fmt::format("{}: {} on {} {}", name, type, tasks, tasks == 1 ? "task" : "tasks"),
                fit_headline(result));
  report.section("Results");
  if (history.contains("warnings")) report.warnings(history["warnings"].get<std::vector<std::string>>());
  add_metrics(report, metrics[part], part);
  report.table(overview(result));
  add_learning_curves(report, history);
  report.section("Calibration");
  if (metrics[part].contains("calibration")) add_calibration(report, metrics[part]["calibration"]);
  for (const auto& [other, evaluation] : metrics.items()) {
    if (other == part) continue;
    report.section("Results on " + other + " rows");
    add_metrics(report, evaluation, other);
  }
  add_probes(report, history);
  add_course(report, history);
  report.section("Configuration");
  report.table(flat_table(result["configuration"]), "",
               "every setting as it was used; model.toml in the model's folder holds the same");
  return report;
}

}  // namespace gatewise

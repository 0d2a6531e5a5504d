#include "report/diagnosis_report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "report/diagnosis_text.h"
#include "report/numbers.h"
#include "report/report_parts.h"

namespace gatewise {
namespace {

constexpr size_t most_columns = 20;  // in figures
constexpr double two_sided_95 = 1.96;

std::string verdict_kind(const Json& verdict) {
  std::string kind = verdict["kind"];
  std::replace(kind.begin(), kind.end(), '_', ' ');
  return kind;
}

std::string diagnosis_headline(const Json& diagnosis) {
  std::string text = diagnosis["sharing"].value("text", "");
  if (const std::string mark = "Not judged: "; text.starts_with(mark))
    text = "Whether sharing helps is not judged: " + text.substr(mark.size());
  if (!text.empty() && !text.ends_with(".")) text += ".";
  const Json& verdicts = diagnosis["verdicts"];
  if (verdicts.empty()) return text + " No fault found.";
  std::vector<std::string> kinds;
  for (const Json& verdict : verdicts) {
    const std::string kind = verdict_kind(verdict);
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
  }
  return fmt::format("{} {} {}: {}.", text, verdicts.size(), verdicts.size() == 1 ? "verdict" : "verdicts",
                     fmt::join(kinds, ", "));
}

void add_verdicts(Report& report, const Json& verdicts) {
  report.section("Verdicts");
  std::vector<std::string> lines;
  DataTable table{{"verdict", "where", "confidence", "finding", "evidence", "remedy", "changes"}, {}};
  for (const Json& verdict : verdicts) {
    const Json remedy = verdict.value("remedy", Json::object());
    const std::string where = verdict["where"], text = verdict["text"], advice = remedy.value("text", "");
    lines.push_back(fmt::format("{}: {}. {}{}", verdict_kind(verdict), where, text,
                                advice.empty() ? "" : ". Remedy: " + advice));
    table.add({verdict_kind(verdict), where, number_or_null(verdict, "confidence"), text,
               evidence_text(verdict["evidence"]), advice,
               remedy.contains("changes") ? changes_text(remedy["changes"]) : ""});
  }
  if (lines.empty()) report.text("No fault found.");
  report.warnings(lines);
  report.table(std::move(table));
}

void add_sharing(Report& report, const Json& sharing) {
  report.section("Does sharing help?");
  if (sharing.contains("text")) report.text(sharing["text"]);
  DataTable table{{"task", "metric", "shared", "alone", "gain", "low", "high", "rows low", "rows high",
                   "deviation between seeds", "verdict"},
                  {}};
  Figure figure;
  figure.kind = "intervals";
  figure.title = "Gain of each task by sharing";
  figure.note =
      "above 0 the shared model is better than models for the task alone; 95 % intervals over rows and seeds "
      "of "
      "training";
  figure.x = {"gain", "gain"};
  figure.y = {"task", "", "category"};
  figure.low = "low";
  figure.high = "high";
  figure.marks.push_back({0, "", true});
  figure.data.columns = {"task", "gain", "low", "high"};
  const Json tasks = sharing.value("tasks", Json::object());
  for (const auto& [task, found] : tasks.items()) {
    const Json gain = number_or_null(found, "gain"), low = number_or_null(found, "low"),
               high = number_or_null(found, "high");
    table.add({task, metric_title(found.value("metric", "")), number_or_null(found, "shared"),
               number_or_null(found, "single"), gain, low, high, number_or_null(found, "rows_low"),
               number_or_null(found, "rows_high"), number_or_null(found, "seed_deviation"),
               found.value("verdict", "")});
    figure.data.add({task, gain, low, high});
  }
  report.figure(figure);
  report.table(std::move(table));
}

DataTable tasks_table(const Json& tasks) {
  DataTable table{
      {"task", "kind", "labels", "mean label", "mean prediction", "loss", "metric", "value", "low", "high"},
      {}};
  for (const auto& [task, found] : tasks.items()) {
    table.add({task, found.value("kind", ""), number_or_null(found, "labels"),
               number_or_null(found, "label_mean"), number_or_null(found, "prediction_mean"),
               number_or_null(found, "loss"), metric_title(found.value("metric", "")),
               number_or_null(found, "value"), number_or_null(found, "low"), number_or_null(found, "high")});
  }
  return table;
}

void add_conflicts(Report& report, const Json& gradients) {
  Figure figure;
  figure.kind = "intervals";
  figure.title = "Cosine of the tasks' gradients on shared parameters";
  figure.note = "below 0 the tasks pull in different directions; with 95 % intervals";
  figure.x = {"cosine", "cosine"};
  figure.y = {"tasks", "", "category"};
  figure.low = "low";
  figure.high = "high";
  figure.marks.push_back({0, "", true});
  figure.data.columns = {"tasks", "cosine", "low", "high"};
  const Json pairs = gradients.value("pairs", Json::array());
  for (const Json& pair : pairs) {
    if (!pair["cosine"].is_number()) continue;
    const double cosine = pair["cosine"].get<double>();
    const Json error = number_or_null(pair, "standard_error");
    const double half = error.is_null() ? 0 : two_sided_95 * error.get<double>();
    figure.data.add({pair["tasks"][0].get<std::string>() + " and " + pair["tasks"][1].get<std::string>(),
                     cosine, error.is_null() ? Json() : Json(cosine - half),
                     error.is_null() ? Json() : Json(cosine + half)});
  }
  report.figure(figure);
}

// The columns whose loss matters most to any task, beside that task's loss.
std::vector<const Json*> leading_columns(const Json& columns, const Json& tasks) {
  const auto weight = [&](const Json& column) {
    double largest = -INFINITY;
    for (const auto& [task, change] : column["permuted"].items()) {
      const Json rise = number_or_null(change, "loss"), loss = number_or_null(tasks[task], "loss");
      if (!rise.is_null())
        largest = std::max(largest, rise.get<double>() / (loss.is_null() ? 1 : loss.get<double>()));
    }
    return largest;
  };
  std::vector<std::pair<double, const Json*>> order;
  for (const Json& column : columns) order.emplace_back(weight(column), &column);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<const Json*> leading;
  for (const auto& [size, column] : order) leading.push_back(column);
  return leading;
}

void add_columns(Report& report, const Json& diagnosis) {
  if (!diagnosis.contains("columns")) return;
  report.section("Columns");
  DataTable all{{"column", "task", "loss", "standard error"}, {}};
  const std::vector<const Json*> leading = leading_columns(diagnosis["columns"], diagnosis["tasks"]);
  for (const auto& [task, of_task] : diagnosis["tasks"].items()) {
    Figure figure;
    figure.kind = "intervals";
    figure.title = task + ": importance of the columns";
    figure.note =
        "rise of the loss when the column's values are handed around among the rows; mean of several "
        "shuffles, and "
        "two standard errors of that mean to either side";
    figure.x = {"loss", "rise of the loss"};
    figure.y = {"column", "", "category"};
    figure.low = "low";
    figure.high = "high";
    figure.marks.push_back({0, "", true});
    figure.data.columns = {"column", "loss", "low", "high"};
    for (size_t i = 0; i < leading.size(); ++i) {
      const Json& permuted = (*leading[i])["permuted"][task];
      const Json rise = number_or_null(permuted, "loss"),
                 error = number_or_null(permuted.value("standard_error", Json::object()), "loss");
      all.add({(*leading[i])["column"], task, rise, error});
      if (i >= most_columns) continue;
      const bool has_error = rise.is_number() && error.is_number();
      const auto end = [&](double factor) {
        return has_error ? Json(rise.get<double>() + factor * error.get<double>()) : Json();
      };
      figure.data.add({(*leading[i])["column"], rise, end(-2), end(2)});
    }
    report.figure(figure);
  }
  report.table(std::move(all));
}

}  // namespace

Report diagnosis_report(const Json& diagnosis) {
  const std::string model = std::filesystem::path(diagnosis.value("model", "model")).filename().string();
  Report report(model + ": what its experts and gates do", diagnosis_headline(diagnosis));
  add_verdicts(report, diagnosis["verdicts"]);
  add_sharing(report, diagnosis["sharing"]);
  report.section("Tasks");
  report.table(
      tasks_table(diagnosis["tasks"]), "",
      fmt::format("{} of {} rows were looked at", count_text(diagnosis["rows_looked_at"].get<int64_t>()),
                  count_text(diagnosis["rows"].get<int64_t>())));
  add_conflicts(report, diagnosis["gradients"]);
  for (const Json& level : diagnosis["levels"]) add_level(report, level, diagnosis["tasks"]);
  add_columns(report, diagnosis);
  report.section("Thresholds");
  report.table(flat_table(diagnosis["thresholds"]), "", "of the verdicts; options of [diagnosis]");
  return report;
}

}  // namespace gatewise

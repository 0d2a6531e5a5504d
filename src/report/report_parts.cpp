#include "report/report_parts.h"

#include <map>

#include "report/metrics_text.h"
#include "report/numbers.h"

namespace gatewise {
namespace {

void flatten(const Json& tree, const std::string& path, DataTable& table) {
  if (tree.is_object()) {
    for (const auto& [name, value] : tree.items())
      flatten(value, path.empty() ? name : path + "." + name, table);
  } else if (!tree.is_null()) {
    const bool is_text = tree.is_string() && !tree.get_ref<const std::string&>().empty();
    table.add({path, is_text ? tree.get<std::string>()
                             : tree.dump(-1, ' ', false, Json::error_handler_t::replace)});
  }
}

Figure calibration_figure(const std::string& task, const Json& found) {
  Figure figure;
  figure.kind = "lines";
  figure.title = task + ": mean label by mean prediction";
  figure.note = fmt::format(
      "Rows in order of their prediction, in bins; shaded: 95 % intervals of the mean label. On the dashed "
      "line predictions can be taken at their word; their mean distance from it is {}.",
      value_text(found["error"].get<double>()));
  figure.x = {"prediction", "mean prediction"};
  figure.y = {"label", "mean label"};
  figure.low = "label_low";
  figure.high = "label_high";
  figure.has_diagonal = true;
  figure.data.columns = {"prediction",     "label",           "label_low", "label_high",
                         "prediction_low", "prediction_high", "rows"};
  for (const Json& bin : found["bins"]) {
    std::vector<Json> row;
    for (const std::string& name : figure.data.columns) row.push_back(bin[name]);
    figure.data.add(std::move(row));
  }
  return figure;
}

Figure predictions_figure(const std::string& task, const Json& found) {
  Figure figure;
  figure.kind = "histogram";
  figure.title = task + ": distribution of predictions";
  figure.x = {"from", "prediction"};
  figure.y = {"rows", "rows"};
  const bool has_classes = found["predictions"][0].contains("rows_of_label_1");
  figure.data.columns = {"from", "to", "rows"};
  if (has_classes) {
    figure.data.columns.emplace_back("label");
    figure.series = "label";
  }
  for (const Json& bin : found["predictions"]) {
    if (!has_classes) {
      figure.data.add({bin["from"], bin["to"], bin["rows"]});
      continue;
    }
    const int64_t ones = bin["rows_of_label_1"].get<int64_t>();
    figure.data.add({bin["from"], bin["to"], bin["rows"].get<int64_t>() - ones, "label 0"});
    figure.data.add({bin["from"], bin["to"], ones, "label 1"});
  }
  return figure;
}

}  // namespace

std::string metric_title(const std::string& name) {
  static const std::map<std::string, std::string> titles{
      {"auc", "AUC"}, {"grouped_auc", "grouped AUC"}, {"r2", "R²"}, {"rmse", "RMSE"}, {"mae", "MAE"}};
  const auto found = titles.find(name);
  if (found != titles.end()) return found->second;
  std::string words = name;
  for (char& c : words) c = c == '_' ? ' ' : c;
  return words;
}

Json number_or_null(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_number() ? object[key] : Json();
}

std::string value_with_interval(const Json& metric) {
  const Json low = number_or_null(metric, "low"), high = number_or_null(metric, "high");
  const std::string value = metric_value_text(metric);
  if (low.is_null() || high.is_null()) return value;
  return fmt::format("{} ({} to {})", value, value_text(low.get<double>()), value_text(high.get<double>()));
}

DataTable flat_table(const Json& tree) {
  DataTable table{{"setting", "value"}, {}};
  flatten(tree, "", table);
  return table;
}

void add_metrics(Report& report, const Json& evaluation, const std::string& part) {
  DataTable table{{"task", "metric", "value", "low", "high", ""}, {}};
  std::vector<Figure> figures;
  bool has_intervals = false;
  for (const auto& [task, metrics] : evaluation["tasks"].items()) {
    for (const auto& [name, metric] : metrics.items()) {
      const Json value = number_or_null(metric, "value");
      const Json low = number_or_null(metric, "low"), high = number_or_null(metric, "high");
      table.add({task, metric_title(name), value, low, high,
                 value.is_null() ? Json(metric_value_text(metric)) : metric.value("direction", Json(""))});
      if (low.is_null() || high.is_null()) continue;
      has_intervals = true;
      const std::string title = metric_title(name) + " on " + part + " rows";
      auto figure = std::find_if(figures.begin(), figures.end(),
                                 [&](const Figure& known) { return known.title == title; });
      if (figure == figures.end()) {
        Figure fresh;
        fresh.kind = "intervals";
        fresh.title = title;
        fresh.note = metric.value("direction", "");
        fresh.x = {"value", metric_title(name)};
        fresh.y = {"task", "", "category"};
        fresh.low = "low";
        fresh.high = "high";
        fresh.data.columns = {"task", "value", "low", "high"};
        figure = figures.insert(figures.end(), std::move(fresh));
      }
      figure->data.add({task, value, low, high});
    }
  }
  report.table(
      std::move(table), fmt::format("{}, {} rows", part, count_text(evaluation["rows"].get<int64_t>())),
      has_intervals ? "low and high are the ends of the 95 % interval (bootstrap over the rows)" : "");
  for (const Figure& figure : figures) {
    if (figure.data.rows.size() > 1) report.figure(figure);
  }
}

void add_calibration(Report& report, const Json& calibrations) {
  for (const auto& [task, found] : calibrations.items()) {
    if (found.contains("why_undefined")) {
      report.text(task + ": " + found["why_undefined"].get<std::string>());
      continue;
    }
    report.figure(calibration_figure(task, found));
    report.figure(predictions_figure(task, found));
  }
}

}  // namespace gatewise

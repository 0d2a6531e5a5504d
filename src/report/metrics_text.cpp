#include "report/metrics_text.h"

#include "report/numbers.h"
#include "report/text_table.h"

namespace gatewise {
namespace {

bool has_number(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_number();
}

std::string interval_text(const Json& metric) {
  if (!has_number(metric, "low") || !has_number(metric, "high")) return "";
  return value_text(metric["low"].get<double>()) + " to " + value_text(metric["high"].get<double>());
}

std::string direction_text(const Json& metric) {
  return metric.contains("direction") && metric["direction"].is_string()
             ? metric["direction"].get<std::string>()
             : "";
}

// Counts beside the value, as "12 groups left out".
std::string details_text(const Json& metric) {
  std::string text;
  if (!metric.contains("details") || !metric["details"].is_object()) return text;
  for (const auto& [name, value] : metric["details"].items()) {
    std::string words = name;
    for (char& c : words) c = c == '_' ? ' ' : c;
    text += (text.empty() ? "" : ", ") + words + " " +
            (value.is_number_integer() ? count_text(value.get<int64_t>()) : value.dump());
  }
  return text;
}

}  // namespace

std::string metric_value_text(const Json& metric) {
  if (has_number(metric, "value")) return value_text(metric["value"].get<double>());
  const bool has_reason = metric.contains("why_undefined") && metric["why_undefined"].is_string();
  return has_reason ? "undefined (" + metric["why_undefined"].get<std::string>() + ")" : "undefined";
}

std::string metrics_text(const Json& evaluation, const Style& style) {
  TextTable table;
  table.add_column("task");
  table.add_column("metric");
  table.add_column("value", Align::Right);
  bool has_intervals = false, has_details = false;
  for (const auto& [task, metrics] : evaluation["tasks"].items()) {
    for (const auto& [name, metric] : metrics.items()) {
      has_intervals |= !interval_text(metric).empty();
      has_details |= !details_text(metric).empty();
    }
  }
  if (has_intervals) table.add_column("95 % interval");
  table.add_column("");
  if (has_details) table.add_column("details");
  for (const auto& [task, metrics] : evaluation["tasks"].items()) {
    for (const auto& [name, metric] : metrics.items()) {
      std::vector<std::string> cells{task, name, metric_value_text(metric)};
      if (has_intervals) cells.push_back(interval_text(metric));
      cells.push_back(direction_text(metric));
      if (has_details) cells.push_back(details_text(metric));
      table.add_row(std::move(cells));
    }
  }
  return table.text(style);
}

}  // namespace gatewise

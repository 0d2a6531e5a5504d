#include "report/progress_text.h"

#include "report/numbers.h"

namespace gatewise {
namespace {

std::string number_text(const Json& value) {
  return value.is_number() ? value_text(value.get<double>()) : "undefined";
}

// {value: 0.9} or 0.9.
const Json& bare_value(const Json& metric) {
  return metric.is_object() && metric.contains("value") ? metric["value"] : metric;
}

}  // namespace

std::string progress_text(const Progress& progress, int width) {
  const double share =
      progress.steps > 0 ? static_cast<double>(progress.step) / static_cast<double>(progress.steps) : 0;
  std::string text = fmt::format("epoch {}/{}  step {}/{}  {:.0f} %  loss {}  {} rows/s", progress.epoch,
                                 progress.epochs, progress.step, progress.steps, 100 * share,
                                 value_text(progress.loss), rate_text(progress.rows_per_second));
  const std::string left = duration_text(progress.seconds_left);
  if (!left.empty()) text += "  " + left + " left";
  if (width > 0 && static_cast<int>(text.size()) > width) text.resize(static_cast<size_t>(width));
  return text;
}

std::string epoch_text(const Json& record) {
  std::string text = "epoch";
  if (record.contains("epoch")) text += fmt::format(" {}", record["epoch"].dump());
  if (record.contains("losses") && record["losses"].is_object()) {
    for (const auto& [task, loss] : record["losses"].items())
      text += fmt::format("  {} loss {}", task, number_text(loss));
  }
  if (record.contains("validation") && record["validation"].is_object()) {
    for (const auto& [task, metrics] : record["validation"].items()) {
      if (!metrics.is_object()) continue;
      for (const auto& [name, metric] : metrics.items())
        text += fmt::format("  {} {} {}", task, name, number_text(bare_value(metric)));
    }
  }
  if (record.contains("rows_per_second") && record["rows_per_second"].is_number())
    text += fmt::format("  {} rows/s", rate_text(record["rows_per_second"].get<double>()));
  return text;
}

}  // namespace gatewise

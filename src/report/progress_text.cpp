#include "report/progress_text.h"

#include "report/numbers.h"

namespace gatewise {
namespace {

std::string number_text(const Json& value) {
  return value.is_number() ? value_text(value.get<double>()) : "undefined";
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
  const Json losses = record.value("losses", Json::object());
  const Json validation = record.value("validation", Json::object());
  std::string text = "epoch " + record["epoch"].dump();
  for (const auto& [task, loss] : losses.items()) {
    text += fmt::format("  {}: loss {}", task, number_text(loss));
    const Json metrics = validation.value(task, Json::object());
    for (const auto& [name, metric] : metrics.items())
      text += fmt::format(", {} {}", name, number_text(metric["value"]));
  }
  const Json penalties = record.value("penalties", Json::object());
  for (const auto& [name, penalty] : penalties.items())
    text += fmt::format("  {} {}", name, number_text(penalty));
  return text + fmt::format("  {} rows/s", rate_text(record["rows_per_second"].get<double>()));
}

}  // namespace gatewise

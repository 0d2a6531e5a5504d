#include "report/progress_text.h"

#include <map>

#include "report/numbers.h"

namespace gatewise {
namespace {

std::string number_text(const Json& value) {
  return value.is_number() ? value_text(value.get<double>()) : "undefined";
}

constexpr size_t most_tasks_by_name = 8;

// Every task with its loss and metrics.
std::string tasks_text(const Json& losses, const Json& validation) {
  std::string text;
  for (const auto& [task, loss] : losses.items()) {
    text += fmt::format("  {}: loss {}", task, number_text(loss));
    const Json metrics = validation.value(task, Json::object());
    for (const auto& [name, metric] : metrics.items())
      text += fmt::format(", {} {}", name, number_text(metric["value"]));
  }
  return text;
}

// So many tasks that only the mean and the ends of each metric fit a line.
std::string summary_text(const Json& record, const Json& losses, const Json& validation) {
  struct Summary {
    double sum = 0;
    std::multimap<double, std::string> tasks;  // by value
  };
  std::map<std::string, Summary> metrics;
  for (const auto& [task, of_task] : validation.items()) {
    for (const auto& [name, metric] : of_task.items()) {
      if (!metric["value"].is_number()) continue;
      Summary& summary = metrics[name];
      summary.sum += metric["value"].get<double>();
      summary.tasks.emplace(metric["value"].get<double>(), task);
    }
  }
  std::string text = fmt::format("  {} tasks: loss {}", losses.size(), number_text(record["loss"]));
  for (const auto& [name, summary] : metrics) {
    const auto& [least, least_task] = *summary.tasks.begin();
    const auto& [most, most_task] = *summary.tasks.rbegin();
    const auto count = static_cast<double>(summary.tasks.size());
    text += fmt::format(", {} {} ({} {} to {} {})", name, value_text(summary.sum / count), least_task,
                        value_text(least), most_task, value_text(most));
  }
  return text;
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
  text += losses.size() <= most_tasks_by_name ? tasks_text(losses, validation)
                                              : summary_text(record, losses, validation);
  const Json penalties = record.value("penalties", Json::object());
  for (const auto& [name, penalty] : penalties.items())
    text += fmt::format("  {} {}", name, number_text(penalty));
  return text + fmt::format("  {} rows/s", rate_text(record["rows_per_second"].get<double>()));
}

}  // namespace gatewise

#include "features/label_summary.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "features/labels.h"

namespace gatewise {
namespace {

TaskSummary summarise(const TaskSpec& task, const std::vector<double>& labels,
                      std::vector<std::string> classes) {
  TaskSummary summary{task.name, task.kind, 0, 0, 0, std::move(classes), {}};
  summary.class_counts.resize(summary.classes.size());
  double sum = 0, squares = 0;
  for (const double label : labels) {
    if (std::isnan(label)) continue;
    ++summary.present;
    sum += label;
    if (!summary.classes.empty()) ++summary.class_counts[static_cast<size_t>(label)];
  }
  const double count = static_cast<double>(summary.present);
  summary.mean = sum / count;
  for (const double label : labels) {
    if (!std::isnan(label)) squares += (label - summary.mean) * (label - summary.mean);
  }
  summary.deviation = std::sqrt(squares / count);
  return summary;
}

// Undefined figures are null in reports.
Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

}  // namespace

PairSummary correlate(const std::vector<double>& first, const std::vector<double>& second) {
  double count = 0, mean_first = 0, mean_second = 0;
  const auto each_pair = [&](const auto& use) {
    for (size_t row = 0; row < first.size(); ++row) {
      if (!std::isnan(first[row]) && !std::isnan(second[row])) use(first[row], second[row]);
    }
  };
  each_pair([&](double x, double y) {
    count += 1;
    mean_first += x;
    mean_second += y;
  });
  mean_first /= count;
  mean_second /= count;
  double both = 0, squares_first = 0, squares_second = 0;
  // Seen on the values: the squares of a constant are not 0 where its mean is rounded.
  std::optional<std::pair<double, double>> start;
  bool first_varies = false, second_varies = false;
  each_pair([&](double x, double y) {
    if (!start) start.emplace(x, y);
    first_varies |= x != start->first;
    second_varies |= y != start->second;
    both += (x - mean_first) * (y - mean_second);
    squares_first += (x - mean_first) * (x - mean_first);
    squares_second += (y - mean_second) * (y - mean_second);
  });
  PairSummary pair;
  pair.rows = static_cast<int64_t>(count);
  const double spread = std::sqrt(squares_first) * std::sqrt(squares_second);
  const bool is_defined = first_varies && second_varies && spread > 0;
  pair.pearson = is_defined ? std::clamp(both / spread, -1.0, 1.0) : std::nan("");
  return pair;
}

LabelSummary summarise_labels(const Table& table, const std::vector<TaskSpec>& tasks) {
  LabelSummary summary;
  std::vector<std::vector<double>> labels;
  for (size_t index = 0; index < tasks.size(); ++index) {
    const std::vector<std::string> classes = resolve_classes(table, tasks[index]);
    labels.push_back(labels_in_space(table, tasks, index, classes));
    summary.tasks.push_back(summarise(tasks[index], labels.back(), classes));
  }
  for (size_t a = 0; a < tasks.size(); ++a) {
    for (size_t b = a + 1; b < tasks.size(); ++b) {
      if (tasks[a].kind == "multiclass" || tasks[b].kind == "multiclass") continue;
      PairSummary pair = correlate(labels[a], labels[b]);
      pair.first = tasks[a].name;
      pair.second = tasks[b].name;
      summary.pairs.push_back(std::move(pair));
    }
  }
  return summary;
}

Json LabelSummary::to_json() const {
  Json json{{"tasks", Json::array()}, {"correlations", Json::array()}};
  for (const TaskSummary& task : tasks) {
    Json item{{"name", task.name}, {"kind", task.kind}, {"present", task.present}};
    if (task.kind == "binary") item["rate"] = number_or_null(task.mean);
    if (task.kind == "regression") {
      item["mean"] = number_or_null(task.mean);
      item["deviation"] = number_or_null(task.deviation);
    }
    for (size_t c = 0; c < task.classes.size(); ++c) item["classes"][task.classes[c]] = task.class_counts[c];
    json["tasks"].push_back(std::move(item));
  }
  for (const PairSummary& pair : pairs) {
    json["correlations"].push_back({{"tasks", {pair.first, pair.second}},
                                    {"rows", pair.rows},
                                    {"pearson", number_or_null(pair.pearson)}});
  }
  return json;
}

}  // namespace gatewise

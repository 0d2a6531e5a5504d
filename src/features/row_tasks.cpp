#include "features/row_tasks.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "features/column_views.h"
#include "features/labels.h"
#include "table/parse.h"

namespace gatewise {
namespace {

bool is_null(const ColumnSpec& column, const std::string& text) {
  return std::find(column.null.begin(), column.null.end(), text) != column.null.end();
}

// Tasks whose labels are read alike from the same column have the same key.
std::string reading_key(const TaskSpec& task) {
  Json json = task.to_json();
  for (const char* other : {"weight", "loss", "loss_options", "class_weights", "weight_column", "parents"})
    json.erase(other);
  return json.dump();
}

}  // namespace

void complete_tasks(const Table& training, Schema& schema) {
  if (!schema.other_tasks) return;
  const ColumnSpec& column = *schema.task_column();
  const auto texts = texts_of(training, column.name);
  std::vector<uint8_t> used(texts->levels.size());
  for (const uint32_t code : texts->codes) {
    if (code != missing_code) used[code] = 1;
  }
  std::vector<std::string> names;
  for (size_t level = 0; level < used.size(); ++level) {
    const std::string name(trim_blanks(texts->levels[level]));
    const auto has_name = [&](const TaskSpec& task) { return task.name == name; };
    if (used[level] && !is_null(column, name) &&
        std::none_of(schema.tasks.begin(), schema.tasks.end(), has_name)) {
      names.push_back(name);
    }
  }
  const auto number = [](const std::string& name) { return parse_number(name); };
  if (std::all_of(names.begin(), names.end(), [&](auto& name) { return number(name).has_value(); })) {
    std::sort(names.begin(), names.end(), [&](auto& a, auto& b) { return *number(a) < *number(b); });
  } else {
    std::sort(names.begin(), names.end());
  }
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const std::string& name : names) {
    schema.tasks.push_back(*schema.other_tasks);
    schema.tasks.back().name = name;
  }
}

std::vector<uint32_t> read_row_tasks(const Table& table, const Schema& schema) {
  const ColumnSpec& column = *schema.task_column();
  std::map<std::string, uint32_t> index;
  std::vector<std::string> names;
  for (const TaskSpec& task : schema.tasks) {
    index.emplace(task.name, static_cast<uint32_t>(names.size()));
    names.push_back(task.name);
  }
  constexpr uint32_t unknown = missing_code - 1;
  const auto texts = texts_of(table, column.name);
  std::vector<uint32_t> of_level;
  for (const std::string& level : texts->levels) {
    const std::string text(trim_blanks(level));
    const auto found = index.find(text);
    of_level.push_back(is_null(column, text) ? missing_code : found == index.end() ? unknown : found->second);
  }
  std::vector<uint32_t> tasks;
  tasks.reserve(texts->codes.size());
  for (size_t row = 0; row < texts->codes.size(); ++row) {
    const uint32_t code = texts->codes[row];
    tasks.push_back(code == missing_code ? missing_code : of_level[code]);
    if (tasks.back() < unknown) continue;
    const auto place = static_cast<int64_t>(row);
    if (tasks.back() == missing_code) {
      value_error(
          table, place, column.name,
          "the task of the row is missing; every row belongs to one task, so fill in its name or drop "
          "the row");
    }
    value_error(
        table, place, column.name,
        fmt::format("no task \"{}\".{} A task has a table [tasks.\"{}\"] or is made by [tasks.\"*\"]; fit "
                    "--from adds it to a trained model",
                    texts->levels[code], suggestion(texts->levels[code], names), texts->levels[code]));
  }
  return tasks;
}

OwnLabels::OwnLabels(const Table& table, const Schema& schema, const std::vector<uint32_t>& row_task,
                     std::vector<std::vector<std::string>> classes)
    : labels_(row_task.size()), rows_(schema.tasks.size()), classes_(std::move(classes)) {
  const bool finds_classes = classes_.empty();
  classes_.resize(schema.tasks.size());
  for (size_t row = 0; row < row_task.size(); ++row)
    rows_[row_task[row]].push_back(static_cast<int64_t>(row));
  std::map<std::string, std::vector<size_t>> readings;
  for (size_t task = 0; task < schema.tasks.size(); ++task)
    readings[reading_key(schema.tasks[task])].push_back(task);
  for (const auto& [key, tasks] : readings) {
    const TaskSpec& spec = schema.tasks[tasks[0]];
    std::vector<int64_t> rows;
    for (const size_t task : tasks) rows.insert(rows.end(), rows_[task].begin(), rows_[task].end());
    std::sort(rows.begin(), rows.end());
    const bool is_whole = static_cast<int64_t>(rows.size()) == table.rows();
    const Table part = is_whole ? Table() : table.select(rows, spec.column);
    const Table& source = is_whole ? table : part;
    if (finds_classes) {
      const std::vector<std::string> found = resolve_classes(source, spec);
      for (const size_t task : tasks) classes_[task] = found;
    }
    const std::vector<double> labels = read_labels(source, spec, classes_[tasks[0]]);
    for (size_t i = 0; i < rows.size(); ++i) labels_[rows[i]] = labels[i];
  }
}

std::vector<double> OwnLabels::of_task(size_t task) const {
  std::vector<double> labels;
  labels.reserve(rows_[task].size());
  for (const int64_t row : rows_[task]) labels.push_back(labels_[row]);
  return labels;
}

}  // namespace gatewise

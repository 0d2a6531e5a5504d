#include "features/labels.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "features/column_views.h"
#include "features/plain_text.h"
#include "table/parse.h"

namespace gatewise {
namespace {

const double missing = std::nan("");

// A value of the configuration as text, as a column would hold it.
std::string as_text(const Json& value) {
  return value.is_string() ? std::string(trim_blanks(value.get<std::string>())) : value.dump();
}

// Applies `label` to each distinct text once.
std::vector<double> labels_from_texts(const Table& table, const TaskSpec& task,
                                      const std::function<double(const std::string& level)>& label) {
  const auto texts = texts_of(table, task.column);
  std::vector<double> of_level(texts->levels.size());
  for (size_t level = 0; level < of_level.size(); ++level) {
    const std::string text(trim_blanks(texts->levels[level]));
    of_level[level] =
        std::find(task.null.begin(), task.null.end(), text) == task.null.end() ? label(text) : missing;
  }
  std::vector<double> labels;
  labels.reserve(texts->codes.size());
  for (const uint32_t code : texts->codes) labels.push_back(code == missing_code ? missing : of_level[code]);
  return labels;
}

std::vector<double> labels_from_numbers(const Table& table, const TaskSpec& task,
                                        const std::function<double(double value)>& label) {
  const auto numbers = numbers_of(table, task.column, task.null);
  std::vector<double> labels;
  labels.reserve(numbers->values.size());
  for (const double value : numbers->values) labels.push_back(std::isnan(value) ? missing : label(value));
  return labels;
}

// Throws for the first label that `is_fault`, naming what was `expected`.
void check_range(const Table& table, const TaskSpec& task, const std::vector<double>& labels,
                 const std::function<bool(double)>& is_fault, const std::string& expected) {
  const auto found = std::find_if(labels.begin(), labels.end(), is_fault);
  if (found == labels.end()) return;
  value_error(
      table, found - labels.begin(), task.column,
      fmt::format("{} is outside the range of task \"{}\"; expected {}", *found, task.name, expected));
}

std::vector<double> binary_labels(const Table& table, const TaskSpec& task) {
  if (!task.equals.is_null() || !task.in.is_null()) {
    const Json wanted = task.in.is_null() ? Json::array({task.equals}) : task.in;
    if (task.reads_text()) {
      return labels_from_texts(table, task, [&](const std::string& level) {
        return std::any_of(wanted.begin(), wanted.end(), [&](const Json& value) {
          return plain_text(as_text(value)) == plain_text(level);
        });
      });
    }
    return labels_from_numbers(table, task, [&](double x) {
      return std::any_of(wanted.begin(), wanted.end(),
                         [&](const Json& value) { return value.get<double>() == x; });
    });
  }
  const auto compare = [&](const Json& bound, const auto& is_true) {
    return labels_from_numbers(table, task, [&, b = bound.get<double>()](double x) { return is_true(x, b); });
  };
  if (!task.above.is_null()) return compare(task.above, std::greater<>());
  if (!task.at_least.is_null()) return compare(task.at_least, std::greater_equal<>());
  if (!task.below.is_null()) return compare(task.below, std::less<>());
  std::vector<double> labels = labels_from_numbers(table, task, [](double x) { return x; });
  check_range(
      table, task, labels, [](double x) { return !std::isnan(x) && x != 0 && x != 1; },
      "0 or 1 (or set equals, in, above, at_least or below)");
  return labels;
}

// The class of that text, or else of another spelling of it.
std::vector<std::string>::const_iterator place_of_class(const std::vector<std::string>& classes,
                                                        const std::string& level) {
  const auto exact = std::find(classes.begin(), classes.end(), level);
  if (exact != classes.end()) return exact;
  return std::find_if(classes.begin(), classes.end(),
                      [plain = plain_text(level)](const auto& name) { return plain_text(name) == plain; });
}

std::vector<double> class_labels(const Table& table, const TaskSpec& task,
                                 const std::vector<std::string>& classes) {
  if (task.classes.is_number()) {
    std::vector<double> labels = labels_from_numbers(table, task, [](double x) { return x; });
    const double count = static_cast<double>(classes.size());
    check_range(
        table, task, labels,
        [&](double x) { return !std::isnan(x) && (x < 0 || x >= count || x != std::floor(x)); },
        fmt::format("a class from 0 to {}", classes.size() - 1));
    return labels;
  }
  std::vector<std::string> unknown;
  std::vector<double> labels = labels_from_texts(table, task, [&](const std::string& level) {
    const auto found = place_of_class(classes, level);
    if (found != classes.end()) return static_cast<double>(found - classes.begin());
    unknown.push_back(level);
    return -static_cast<double>(unknown.size());
  });
  const auto found = std::find_if(labels.begin(), labels.end(), [](double x) { return x < 0; });
  if (found != labels.end()) {
    const std::string& level = unknown[static_cast<size_t>(-*found) - 1];
    value_error(
        table, found - labels.begin(), task.column,
        fmt::format("\"{}\" is no class of task \"{}\".{}", level, task.name, suggestion(level, classes)));
  }
  return labels;
}

}  // namespace

std::vector<std::string> resolve_classes(const Table& training, const TaskSpec& task) {
  if (task.kind != "multiclass") return {};
  std::vector<std::string> classes;
  if (task.classes.is_array()) {
    for (const Json& name : task.classes) classes.push_back(as_text(name));
    return classes;
  }
  if (task.classes.is_number()) {
    for (int64_t c = 0; c < task.classes.get<int64_t>(); ++c) classes.push_back(std::to_string(c));
    return classes;
  }
  const auto texts = texts_of(training, task.column);
  std::vector<uint8_t> used(texts->levels.size());
  for (const uint32_t code : texts->codes) {
    if (code != missing_code) used[code] = 1;
  }
  for (size_t level = 0; level < used.size(); ++level) {
    const std::string text(trim_blanks(texts->levels[level]));
    if (used[level] && std::find(task.null.begin(), task.null.end(), text) == task.null.end())
      classes.push_back(text);
  }
  std::sort(classes.begin(), classes.end());
  const auto is_number = [](const std::string& name) { return parse_number(name).has_value(); };
  if (std::all_of(classes.begin(), classes.end(), is_number)) {
    std::stable_sort(classes.begin(), classes.end(), [](const std::string& a, const std::string& b) {
      return *parse_number(a) < *parse_number(b);
    });
  }
  std::set<std::string> seen;  // of several spellings the first stays
  std::erase_if(classes, [&](const std::string& name) { return !seen.insert(plain_text(name)).second; });
  return classes;
}

std::vector<double> read_labels(const Table& table, const TaskSpec& task,
                                const std::vector<std::string>& classes) {
  if (task.kind == "binary") return binary_labels(table, task);
  if (task.kind == "multiclass") return class_labels(table, task, classes);
  std::vector<double> labels = labels_from_numbers(table, task, [](double x) { return x; });
  if (task.transform == "log1p") {
    check_range(
        table, task, labels, [](double x) { return x < 0; }, "at least 0, as transform = \"log1p\" needs");
  }
  return labels;
}

std::vector<double> labels_in_space(const Table& table, const std::vector<TaskSpec>& tasks, size_t index,
                                    const std::vector<std::string>& classes) {
  const TaskSpec& task = tasks[index];
  std::vector<double> labels = read_labels(table, task, classes);
  if (task.only_where.empty()) return labels;
  const auto condition = std::find_if(tasks.begin(), tasks.end(),
                                      [&](const TaskSpec& other) { return other.name == task.only_where; });
  const std::vector<double> happened =
      labels_in_space(table, tasks, static_cast<size_t>(condition - tasks.begin()), {});
  for (size_t row = 0; row < labels.size(); ++row) {
    if (happened[row] != 1) labels[row] = missing;
  }
  return labels;
}

std::vector<std::string> warnings_of_labels(const Schema& schema, const EncodedData& data) {
  std::vector<std::string> warnings;
  const bool is_own = !data.row_task.empty();
  for (size_t index = 0; index < schema.tasks.size(); ++index) {
    const TaskSpec& task = schema.tasks[index];
    if (task.kind != "binary" || !task.reads_text()) continue;
    int64_t present = 0, wanted = 0;
    for (int64_t row = 0; row < data.rows; ++row) {
      if (is_own && data.row_task[row] != index) continue;
      const auto label = data.labels[row * data.tasks + (data.tasks == 1 ? 0 : static_cast<int64_t>(index))];
      present += std::isnan(label) ? 0 : 1;
      wanted += label == 1 ? 1 : 0;
    }
    if (present == 0 || wanted > 0) continue;
    const bool has_list = !task.in.is_null();
    warnings.push_back(
        fmt::format("task \"{}\": none of {} labels is 1: no row has {} {} in column \"{}\"; is it spelled "
                    "otherwise here?",
                    task.name, present, has_list ? "one of" : "the text",
                    has_list ? task.in.dump() : task.equals.dump(), task.column));
  }
  return warnings;
}

void check_training_labels(const Table& training, const TaskSpec& task, const std::vector<double>& labels,
                           bool is_small, bool are_weighed) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double label : labels) {
    if (std::isnan(label)) continue;
    low = std::min(low, label);
    high = std::max(high, label);
  }
  const std::string where = fmt::format("{}: column \"{}\"", training.name(), task.column);
  if (low > high && are_weighed) {
    data_error("{}: no row with a label of task \"{}\" has a weight above 0; check the columns of weights",
               where, task.name);
  }
  if (low > high) {
    const std::string space =
        task.only_where.empty() ? "" : fmt::format(" where task \"{}\" is 1", task.only_where);
    data_error("{}: all training labels of task \"{}\"{} are missing; check the column and its null tokens",
               where, task.name, space);
  }
  if (low < high || is_small || task.kind == "regression") return;
  std::string hint;
  if (task.reads_text() && task.kind == "binary") {
    const auto texts = texts_of(training, task.column);
    hint = suggestion(as_text(task.in.is_null() ? task.equals : task.in[0]), texts->levels);
  }
  data_error("{}: all training labels of task \"{}\"{} are {}; expected at least two classes.{}", where,
             task.name, are_weighed ? " in rows of a weight above 0" : "", low, hint);
}

}  // namespace gatewise

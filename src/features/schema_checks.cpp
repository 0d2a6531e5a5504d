// What the tables of a configuration must not say of themselves and of each other.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "features/schema.h"
#include "table/parse.h"

namespace gatewise {
namespace {

void check_comparison(const TaskSpec& task, const std::string& where) {
  const std::pair<const char*, const Json*> comparisons[] = {{"equals", &task.equals},
                                                             {"in", &task.in},
                                                             {"above", &task.above},
                                                             {"at_least", &task.at_least},
                                                             {"below", &task.below}};
  std::vector<std::string> given;
  for (const auto& [key, value] : comparisons) {
    if (!value->is_null()) given.push_back(key);
  }
  if (given.size() > 1) {
    command_error("{}: got {}, expected at most one of equals, in, above, at_least, below", where,
                  fmt::join(given, " and "));
  }
  if (!given.empty() && task.kind != "binary") {
    command_error("{}.{}: comparisons make binary labels; got kind = \"{}\"", where, given[0], task.kind);
  }
  const auto is_value = [](const Json& value) {
    return value.is_string() || value.is_number() || value.is_boolean();
  };
  if (!task.equals.is_null() && !is_value(task.equals)) {
    command_error("{}.equals: got {}, expected a text or a number", where, task.equals.dump());
  }
  if (!task.in.is_null()) {
    const bool is_list = task.in.is_array() && !task.in.empty();
    const auto same_kind = [&](const Json& item) {
      return is_value(item) && item.is_number() == task.in[0].is_number();
    };
    if (!is_list || !std::all_of(task.in.begin(), task.in.end(), same_kind)) {
      command_error("{}.in: got {}, expected a list of texts or of numbers", where, task.in.dump());
    }
  }
  for (const Json* value : {&task.above, &task.at_least, &task.below}) {
    if (!value->is_null() && !value->is_number()) {
      command_error("{}.{}: got {}, expected a number", where, given[0], value->dump());
    }
  }
}

void check_task(const TaskSpec& task) {
  const std::string where = "tasks." + task.name;
  check_comparison(task, where);
  if (!task.classes.is_null() && task.kind != "multiclass") {
    command_error("{}.classes: only multiclass tasks have classes; got kind = \"{}\"", where, task.kind);
  }
  if (task.transform != "none" && task.kind != "regression") {
    command_error("{}.transform: only regression labels are transformed; got kind = \"{}\"", where,
                  task.kind);
  }
  if (task.classes.is_null()) return;
  const bool is_count = task.classes.is_number_integer() && task.classes.get<int64_t>() >= 2;
  const auto is_text = [](const Json& item) { return item.is_string(); };
  const bool is_list = task.classes.is_array() && task.classes.size() >= 2 &&
                       std::all_of(task.classes.begin(), task.classes.end(), is_text);
  if (!is_count && !is_list) {
    command_error("{}.classes: got {}, expected an integer of at least 2 or a list of at least 2 names",
                  where, task.classes.dump());
  }
  std::set<std::string> names;
  for (const Json& name : is_list ? task.classes : Json::array()) {
    if (!names.insert(std::string(trim_blanks(name.get<std::string>()))).second)
      command_error("{}.classes: {} is listed twice; expected every name once", where, name.dump());
  }
}

// A label among the features is all that a model would look at. Comparisons of a column that is also a
// feature are left to Schema::warnings().
void check_own_labels(const ColumnSpec& column, const TaskSpec& task) {
  if (task.column != column.name || !column.is_feature() || task.compares()) return;
  command_error(
      "columns.{}: the column is the label of tasks.{} and has the role \"{}\", so the model would be shown "
      "what it "
      "is to predict; drop the column from [columns], or set tasks.{}.column",
      column.name, task.name, role_names()[static_cast<size_t>(column.role)], task.name);
}

void check_parents(const std::vector<TaskSpec>& tasks) {
  std::vector<std::string> earlier;
  for (const TaskSpec& task : tasks) {
    for (const std::string& parent : task.parents) {
      if (std::find(earlier.begin(), earlier.end(), parent) == earlier.end()) {
        command_error("tasks.{}.parents: \"{}\" is no task before this one.{}", task.name, parent,
                      suggestion(parent, earlier));
      }
    }
    earlier.push_back(task.name);
  }
}

// Every task's sample space leads to a task without one.
void check_sample_spaces(const std::vector<TaskSpec>& tasks) {
  std::map<std::string, const TaskSpec*> by_name;
  std::vector<std::string> names;
  for (const TaskSpec& task : tasks) {
    by_name[task.name] = &task;
    names.push_back(task.name);
  }
  for (const TaskSpec& task : tasks) {
    const std::string where = fmt::format("tasks.{}.only_where", task.name);
    std::vector<std::string> way{task.name};
    for (const TaskSpec* at = &task; !at->only_where.empty();) {
      const auto next = by_name.find(at->only_where);
      if (next == by_name.end())
        command_error("{}: no task \"{}\".{}", where, at->only_where, suggestion(at->only_where, names));
      at = next->second;
      if (at->kind != "binary") {
        command_error("{}: task \"{}\" is {}, expected a binary task, whose label can be 1", where, at->name,
                      at->kind);
      }
      way.push_back(at->name);
      if (at == &task || way.size() > tasks.size() + 1) {
        command_error("{}: the task depends on itself ({}); drop one of the conditions", where,
                      fmt::join(way, " -> "));
      }
    }
  }
}

// Rows of one task: at most one column says whose, and no condition can look at another task's label.
void check_task_column(const Schema& schema) {
  const auto is_task_column = [](const ColumnSpec& column) { return column.role == Role::Task; };
  const auto count = std::count_if(schema.columns.begin(), schema.columns.end(), is_task_column);
  const ColumnSpec* column = schema.task_column();
  if (count > 1) command_error("columns: {} columns have the role \"task\", expected one", count);
  if (schema.other_tasks) {
    if (column == nullptr) {
      command_error(
          "tasks.*: a template makes a task for each value of a column of role \"task\", and there is none; "
          "give that column the role, as [columns] domain = \"task\"");
    }
    if (schema.other_tasks->column.empty())
      command_error("tasks.*.column: got none, expected the column that holds the labels");
    check_task(*schema.other_tasks);
  }
  if (column == nullptr) return;
  for (const TaskSpec& task : schema.tasks) {
    if (task.only_where.empty()) continue;
    command_error(
        "tasks.{}.only_where: rows belong to the one task that column \"{}\" names and have no label of "
        "\"{}\"; drop only_where",
        task.name, column->name, task.only_where);
  }
}

template <class Check>
void check_part_table(const Json& table, const char* where, const Check& check) {
  if (!table.is_object()) command_error("{}: got {}, expected a table of parts", where, table.dump());
  const std::vector<std::string> parts{"train", "validation", "test"};
  for (const auto& [part, value] : table.items()) {
    if (std::find(parts.begin(), parts.end(), part) == parts.end()) {
      command_error("{}: unknown part \"{}\".{}", where, part, suggestion(part, parts));
    }
    check(fmt::format("{}.{}", where, part), value);
  }
}

// Options that a kind would not look at are mistakes: most often the kind was left out.
void check_split_options(const SplitSpec& split) {
  struct Use {
    const char* option;
    bool is_given;
    std::vector<std::string> kinds;
  };
  const Use uses[] = {{"of", split.of != SplitSpec().of, {"fraction", "column", "time"}},
                      {"fractions", !split.fractions.empty(), {"fraction", "time"}},
                      {"by", !split.by.empty(), {"fraction"}},
                      {"column", !split.column.empty(), {"column", "time"}},
                      {"values", !split.values.empty(), {"column"}},
                      {"from", !split.from.empty(), {"time"}}};
  for (const Use& use : uses) {
    if (!use.is_given || std::find(use.kinds.begin(), use.kinds.end(), split.kind) != use.kinds.end())
      continue;
    command_error(
        "split.{}: only a split of kind \"{}\" has this option; got kind = \"{}\"; set the kind, or drop "
        "the option",
        use.option, fmt::join(use.kinds, "\" or \""), split.kind);
  }
}

void check_split(const SplitSpec& split) {
  double sum = 0;
  check_part_table(split.fractions, "split.fractions", [&](const std::string& where, const Json& value) {
    if (!value.is_number() || value.get<double>() < 0)
      command_error("{}: got {}, expected a number from 0 to 1", where, value.dump());
    sum += value.get<double>();
  });
  const bool is_time = split.kind == "time";
  if ((split.kind == "fraction" || (is_time && split.from.empty())) && std::abs(sum - 1) > 1e-6) {
    command_error(
        "split.fractions: got a sum of {}, expected 1, as {{train = 0.8, validation = 0.1, test = 0.1}}",
        sum);
  }
  check_part_table(split.values, "split.values", [](const std::string& where, const Json& value) {
    if (!value.is_array()) command_error("{}: got {}, expected a list of values", where, value.dump());
  });
  check_part_table(split.from, "split.from", [](const std::string& where, const Json& value) {
    if (!value.is_number() && !(value.is_string() && parse_time(value.get<std::string>()))) {
      command_error("{}: got {}, expected a number or a date as \"2016-01-31\"", where, value.dump());
    }
  });
  check_split_options(split);
  if (split.kind == "column" && (split.column.empty() || split.values.empty())) {
    command_error(
        "split: kind = \"column\" needs column and values, as values = {{train = [\"2011\"], test = "
        "[\"2012\"]}}");
  }
  if (is_time && !split.from.empty() && !split.fractions.empty()) {
    command_error("split: got both from and fractions, expected one of them");
  }
}

}  // namespace

void Schema::check() const {
  std::set<std::string> names;
  for (const TaskSpec& task : tasks) {
    if (!names.insert(task.name).second) {
      command_error("tasks.{}: the task is given twice, also as a column of role \"label\"; drop one",
                    task.name);
    }
    check_task(task);
  }
  check_parents(tasks);
  check_sample_spaces(tasks);
  check_task_column(*this);
  check_split(split);
  for (const ColumnSpec& column : columns) {
    if (column.separator.empty())
      command_error("columns.{}.separator: got an empty text, expected one", column.name);
    if (column.hash_buckets > 0 && column.min_count > 1) {
      command_error("columns.{}: got both hash_buckets and min_count, expected one of them", column.name);
    }
    for (const TaskSpec& task : tasks) check_own_labels(column, task);
    if (other_tasks) check_own_labels(column, *other_tasks);
  }
}

std::vector<std::string> Schema::warnings() const {
  std::vector<std::string> all;
  for (const ColumnSpec& column : columns) {
    for (const TaskSpec& task : tasks) {
      if (!column.is_feature() || task.column != column.name) continue;
      all.push_back(
          fmt::format("column \"{}\" is a feature, and the label of task \"{}\" is a comparison of it: the "
                      "model is shown what it is to predict",
                      column.name, task.name));
    }
  }
  return all;
}

}  // namespace gatewise

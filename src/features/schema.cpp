#include "features/schema.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "table/parse.h"

namespace gatewise {
namespace {

constexpr const char* every_other_task = "*";

// Lets an option that is a list of texts be given as one text.
void widen(Json& object, std::initializer_list<const char*> keys) {
  if (!object.is_object()) return;
  for (const char* key : keys) {
    if (object.contains(key) && object[key].is_string()) object[key] = Json::array({object[key]});
  }
}

template <class Spec>
void read_into(Spec& spec, const Json& object, const std::string& path) {
  OptionSet set;
  spec.declare(set);
  set.read(object, path);
}

DataSpec read_data(Json object) {
  widen(object, {"train", "validation", "test", "null", "column_names"});
  DataSpec data;
  read_into(data, object, "data");
  if (data.delimiter == "\\t") data.delimiter = "\t";  // as a shell passes it on
  for (const auto& [key, text] : {std::pair{"delimiter", data.delimiter}, std::pair{"quote", data.quote}}) {
    if (text.size() != 1) command_error("data.{}: got \"{}\", expected one character", key, text);
  }
  const auto is_count = [](const Json& value) {
    return value.is_number_integer() && value.get<int64_t>() >= 0;
  };
  const bool is_table = data.skip_rows.is_object();
  if (!is_table && !is_count(data.skip_rows)) {
    command_error(
        "data.skip_rows: got {}, expected an integer of at least 0, or one per part as {{test = 1}}",
        data.skip_rows.dump());
  }
  if (is_table) {
    for (const auto& [part, value] : data.skip_rows.items()) {
      if (!is_count(value))
        command_error("data.skip_rows.{}: got {}, expected an integer of at least 0", part, value.dump());
    }
  }
  return data;
}

Role role_of(const std::string& name, const std::string& where) {
  const std::vector<std::string>& names = role_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) command_error("{}: unknown role \"{}\".{}", where, name, suggestion(name, names));
  return static_cast<Role>(found - names.begin());
}

void check_null(const Json& null, const std::string& where) {
  const auto is_text = [](const Json& item) { return item.is_string(); };
  if (!null.is_null() && !(null.is_array() && std::all_of(null.begin(), null.end(), is_text))) {
    command_error("{}.null: got {}, expected texts as [\"\", \"NA\"]", where, null.dump());
  }
}

TaskSpec read_task(const std::string& name, Json object, const std::string& where) {
  widen(object, {"null", "parents"});
  TaskSpec task;
  task.name = name;
  read_into(task, object, where);
  check_null(task.null, where);
  if (task.column.empty() && name != every_other_task) task.column = name;
  return task;
}

void read_column(const std::string& name, Json value, Schema& schema) {
  const std::string where = "columns." + name;
  if (value.is_string()) value = Json{{"role", value}};
  if (!value.is_object()) {
    command_error("{}: got {}, expected a role in quotes or a table as {{role = \"numeric\"}}", where,
                  value.dump());
  }
  if (!value.contains("role") || !value["role"].is_string()) {
    command_error("{}: the role is missing.{}", where, suggestion("", role_names()));
  }
  ColumnSpec column;
  column.name = name;
  column.role = role_of(value["role"].get<std::string>(), where + ".role");
  value.erase("role");
  if (column.role == Role::Label) {
    schema.tasks.push_back(read_task(name, value, where));
    return;
  }
  widen(value, {"null"});
  read_into(column, value, where);
  check_null(column.null, where);
  if (column.type.empty()) column.type = column.role == Role::Bag ? "id" : "text";
  schema.columns.push_back(std::move(column));
}

// `default` and `embedding` are options of the table unless their value can only be meant for a column of
// that name.
void read_columns(const Json& object, Schema& schema) {
  if (object.is_null()) return;
  if (!object.is_object()) command_error("columns: got {}, expected a table of columns", object.dump());
  for (const auto& [name, value] : object.items()) {
    if (name == "default" && value.is_string() && (value == "auto" || value == "ignore")) {
      schema.completes_columns = value == "auto";
    } else if (name == "embedding" && value.is_number()) {
      Option("embedding", &schema.embedding, "default width of embeddings")
          .range(0, 4096)
          .set(value, "columns.embedding");
    } else {
      read_column(name, value, schema);
    }
  }
}

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

Schema Schema::from_json(const Json& configuration) {
  Schema schema;
  const auto section = [&](const char* name) { return configuration.value(name, Json()); };
  schema.data = read_data(section("data"));
  read_into(schema.split, section("split"), "split");
  const Json tasks = section("tasks");
  if (!tasks.is_null() && !tasks.is_object())
    command_error("tasks: got {}, expected a table of tasks", tasks.dump());
  for (const auto& [name, options] : tasks.items()) {
    TaskSpec task = read_task(name, options, "tasks." + name);
    if (name == every_other_task) {
      schema.other_tasks = std::move(task);
    } else {
      schema.tasks.push_back(std::move(task));
    }
  }
  read_columns(section("columns"), schema);
  schema.check();
  return schema;
}

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
  }
}

Json Schema::to_json() const {
  Json object;
  object["data"] = write_options(data);
  object["split"] = write_options(split);
  Json& listed = object["columns"] = Json::object();
  listed["default"] = completes_columns ? "auto" : "ignore";
  listed["embedding"] = embedding;
  for (const ColumnSpec& column : columns) {
    listed[column.name] = column.to_json();
  }
  Json& named = object["tasks"] = Json::object();
  for (const TaskSpec& task : tasks) named[task.name] = task.to_json();
  if (other_tasks) named[every_other_task] = other_tasks->to_json();
  return object;
}

const ColumnSpec* Schema::find_column(const std::string& name) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const ColumnSpec& c) { return c.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

const ColumnSpec* Schema::task_column() const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [](const ColumnSpec& c) { return c.role == Role::Task; });
  return found == columns.end() ? nullptr : &*found;
}

bool Schema::is_used_elsewhere(const std::string& name) const {
  const auto uses = [&](const TaskSpec& task) { return task.column == name || task.weight_column == name; };
  const auto weighs = [&](const ColumnSpec& column) { return column.weights == name; };
  return std::any_of(tasks.begin(), tasks.end(), uses) || (other_tasks && uses(*other_tasks)) ||
         std::any_of(columns.begin(), columns.end(), weighs) || split.column == name || split.by == name;
}

}  // namespace gatewise

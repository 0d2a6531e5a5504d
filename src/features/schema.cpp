#include "features/schema.h"

#include <algorithm>

#include "base/error.h"

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

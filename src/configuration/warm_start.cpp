#include "configuration/warm_start.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "training/model.h"

namespace gatewise {
namespace {

// Every field that `given` names must have the value in `asked`, which is `given` written out, that it has in
// `trained`.
void refuse_differences(const Json& given, const Json& asked, const Json& trained, const std::string& where,
                        const std::string& directory) {
  for (const auto& [key, value] : given.items()) {
    const Json expected = trained.value(key, Json());
    if (asked.value(key, Json()) == expected) continue;
    command_error(
        "{}.{}: a model that goes on from {} keeps its columns, tasks and architecture; got {}, expected {}; "
        "drop the field, or train a new model",
        where, key, directory, value.dump(), expected.is_null() ? "nothing" : expected.dump());
  }
}

void refuse_other_columns(const Json& given, const Json& asked, const Json& trained,
                          const std::string& directory) {
  for (const auto& [name, value] : given.items()) {
    const bool is_setting =
        (name == "default" && value.is_string()) || (name == "embedding" && value.is_number());
    if (is_setting || !asked.contains(name)) continue;
    const Json fields = value.is_object() ? value : Json{{"role", value}};
    refuse_differences(fields, asked[name], trained.value(name, Json::object()), "columns." + name,
                       directory);
  }
}

// Where a task's name stands in a path, as a folder or the last part, the last place first.
std::vector<size_t> places_in_path(const std::string& path, const std::string& task) {
  std::vector<size_t> places;
  for (size_t at = path.find("/" + task); at != std::string::npos; at = path.find("/" + task, at + 1)) {
    const size_t end = at + 1 + task.size();
    if (end == path.size() || path[end] == '/') places.insert(places.begin(), at + 1);
  }
  return places;
}

// The path of `task`'s parameter for that of `source`; numbered levels and experts may be called like tasks,
// so it is the last place that gives a known path. Empty where none does.
std::string path_of_source(const std::string& path, const std::string& task, const std::string& source,
                           const std::set<std::string>& known) {
  for (const size_t place : places_in_path(path, task)) {
    std::string found = path;
    found.replace(place, task.size(), source);
    if (known.contains(found)) return found;
  }
  return {};
}

// An option that lists tasks, {name = [tasks]} or [tasks], without those that are not among `names`.
Json only_tasks(const Json& value, const std::vector<std::string>& names) {
  if (!value.is_structured()) return value;
  Json kept = value.is_object() ? Json::object() : Json::array();
  for (const auto& [key, item] : value.items()) {
    if (value.is_object()) {
      kept[key] = only_tasks(item, names);
    } else if (!item.is_string() ||
               std::find(names.begin(), names.end(), item.get<std::string>()) != names.end()) {
      kept.push_back(item);
    }
  }
  return kept;
}

// The trained [model], into whose groups and chain `asked`, which is `given` written out, may put new tasks.
Json model_with_new_tasks(Json given, Json asked, Json trained, const std::vector<TaskSpec>& tasks,
                          const std::string& directory) {
  std::vector<std::string> names;
  for (const TaskSpec& task : tasks) names.push_back(task.name);
  Json grown = Json::object();
  for (const char* option : {"groups", "chain"}) {
    if (!given.contains(option) || !trained.contains(option) || !asked.contains(option)) continue;
    const bool is_as_declared = trained[option] == Json::array();
    const Json expected = is_as_declared ? Json(names) : trained[option];
    if (asked[option] != trained[option] && only_tasks(asked[option], names) != expected) {
      command_error(
          "model.{}: a model that goes on from {} keeps its architecture, and only new tasks can be added; "
          "got {}, expected {} and the new tasks",
          option, directory, asked[option].dump(), expected.dump());
    }
    grown[option] = asked[option];
    given.erase(option);
  }
  // Beside a type, options of other architectures are left out as always; alone they are differences.
  for (const auto& [option, value] : given.items()) {
    if (!given.contains("type") && !asked.contains(option)) asked[option] = value;
  }
  refuse_differences(given, asked, trained, "model", directory);
  trained.update(grown);
  return trained;
}

}  // namespace

Json data_of_files(const std::vector<std::string>& files, const LoadedModel& model) {
  Json data = table_of(model.configuration, "data");
  for (const char* part : {"train", "validation", "test"}) data.erase(part);
  data["train"] = files;
  const Json fractions{{"train", 0.8}, {"validation", 0.1}, {"test", 0.1}};
  return {{"data", data}, {"split", {{"kind", "fraction"}, {"fractions", fractions}}}};
}

Json continue_configuration(const Json& given, const LoadedModel& model, const std::string& directory) {
  const Json trained_model = complete_model_options(table_of(model.configuration, "model"));
  Json typed = given;
  if (given.contains("model") && given["model"].is_object() && !given["model"].contains("type"))
    typed["model"]["type"] = trained_model["type"];
  const Json asked = Configuration::from_json(typed).to_json();
  const Json trained = model.encoder->schema().to_json();
  refuse_other_columns(table_of(given, "columns"), asked["columns"], trained["columns"], directory);
  Json tasks = trained["tasks"];
  const Json given_tasks = table_of(given, "tasks");
  for (const auto& [name, fields] : given_tasks.items()) {
    if (tasks.contains(name)) {
      refuse_differences(fields, asked["tasks"][name], tasks[name], "tasks." + name, directory);
    } else {
      tasks[name] = fields;
    }
  }
  Json json = given;
  json["columns"] = trained["columns"];
  json["columns"]["default"] = "ignore";
  json["tasks"] = tasks;
  json["model"] = model_with_new_tasks(table_of(given, "model"), asked["model"], trained_model,
                                       model.encoder->schema().tasks, directory);
  keep_settings(given, model, json);
  return json;
}

void keep_settings(const Json& given, const LoadedModel& model, Json& into) {
  for (const char* table : {"training", "evaluation"}) {
    if (!given.contains(table)) into[table] = table_of(model.configuration, table);
  }
}

void copy_parameters(const Store<float>& from, Store<float>& to, const std::vector<std::string>& new_tasks,
                     const Json& copies) {
  const std::vector<std::string> paths = from.paths();
  const std::set<std::string> known(paths.begin(), paths.end());
  for (const std::string& path : to.paths()) {
    std::string source = path;
    if (!known.contains(path)) {
      const auto owner = std::find_if(new_tasks.begin(), new_tasks.end(), [&](const std::string& task) {
        return !places_in_path(path, task).empty();
      });
      // A state that older models lack, as that of a schedule's rounding, starts afresh.
      if (owner == new_tasks.end() && to.block(path).place < 0) continue;
      if (owner == new_tasks.end()) data_error("{}: the model to start from has no such parameter", path);
      if (!copies.contains(*owner)) continue;
      const std::string copied = copies[*owner].get<std::string>();
      source = path_of_source(path, *owner, copied, known);
      if (source.empty()) {
        data_error(
            "{}: the model to start from has no such parameter of \"{}\" to copy; drop continue.copy.{}",
            path, copied, *owner);
      }
    }
    const std::vector<float> old = from.get(source);
    std::vector<float> values = to.get(path);
    const bool may_grow = path.starts_with("embeddings/") && old.size() <= values.size();
    if (old.size() != values.size() && !may_grow) {
      data_error("{}: the model to start from has {} values, expected {}{}", path, old.size(), values.size(),
                 new_tasks.empty()
                     ? ""
                     : "; where all tasks share such a parameter, none can be added to a trained model");
    }
    std::copy(old.begin(), old.end(), values.begin());
    to.set(path, values);
  }
}

void check_copies(const Json& copies, const std::vector<std::string>& new_tasks, const Encoder& trained) {
  std::vector<std::string> old_tasks;
  for (const TaskSpec& task : trained.schema().tasks) old_tasks.push_back(task.name);
  const auto require = [](const std::vector<std::string>& names, const std::string& name,
                          const std::string& where, const char* what) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      command_error("{}: \"{}\" is no {}.{}", where, name, what, suggestion(name, names));
  };
  for (const auto& [task, source] : copies.items()) {
    require(new_tasks, task, "continue.copy", "task that the model to start from lacks");
    require(old_tasks, source.get<std::string>(), "continue.copy." + task, "task of the model to start from");
  }
}

}  // namespace gatewise

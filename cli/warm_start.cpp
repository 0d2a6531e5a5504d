#include "cli/warm_start.h"

#include <algorithm>

#include "base/error.h"

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
        "drop the "
        "field, or train afresh without --from",
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

}  // namespace

Json data_of_files(const std::vector<std::string>& files, const LoadedModel& model) {
  Json data = table_of(model.configuration, "data");
  for (const char* part : {"train", "validation", "test"}) data.erase(part);
  data["train"] = files;
  const Json fractions{{"train", 0.8}, {"validation", 0.1}, {"test", 0.1}};
  return {{"data", data}, {"split", {{"kind", "fraction"}, {"fractions", fractions}}}};
}

Json continue_configuration(const Json& given, const LoadedModel& model, const std::string& directory) {
  const Json asked = Configuration::from_json(given).to_json();
  const Json trained = model.encoder->schema().to_json();
  refuse_other_columns(table_of(given, "columns"), asked["columns"], trained["columns"], directory);
  const Json tasks = table_of(given, "tasks");
  for (const auto& [name, fields] : tasks.items()) {
    refuse_differences(fields, asked["tasks"][name], trained["tasks"].value(name, Json::object()),
                       "tasks." + name, directory);
  }
  refuse_differences(table_of(given, "model"), asked["model"], table_of(model.configuration, "model"),
                     "model", directory);
  Json json = given;
  json["columns"] = trained["columns"];
  json["columns"]["default"] = "ignore";
  json["tasks"] = trained["tasks"];
  json["model"] = table_of(model.configuration, "model");
  for (const char* table : {"training", "evaluation"}) {
    if (!json.contains(table)) json[table] = table_of(model.configuration, table);
  }
  return json;
}

void copy_parameters(const Store<float>& from, Store<float>& to) {
  const std::vector<std::string> known = from.paths();
  for (const std::string& path : to.paths()) {
    if (std::find(known.begin(), known.end(), path) == known.end())
      data_error("{}: the model to start from has no such parameter", path);
    const std::vector<float> old = from.get(path);
    std::vector<float> values = to.get(path);
    const bool may_grow = path.starts_with("embeddings/") && old.size() <= values.size();
    if (old.size() != values.size() && !may_grow) {
      data_error("{}: the model to start from has {} values, expected {}", path, old.size(), values.size());
    }
    std::copy(old.begin(), old.end(), values.begin());
    to.set(path, values);
  }
}

}  // namespace gatewise

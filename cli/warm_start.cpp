#include "cli/warm_start.h"

#include <algorithm>

#include "base/error.h"

namespace gatewise {
namespace {

// Every field that `given` sets must be as in `trained`.
void refuse_differences(const Json& given, const Json& trained, const std::string& where,
                        const std::string& directory) {
  if (given.is_object() && trained.is_object()) {
    for (const auto& [key, value] : given.items())
      refuse_differences(value, trained.value(key, Json()), where + "." + key, directory);
    return;
  }
  if (given == trained) return;
  command_error(
      "{}: a model that goes on from {} keeps its columns, tasks and architecture; got {}, expected {}; drop "
      "the field, or train afresh without --from",
      where, directory, given.dump(), trained.is_null() ? "nothing" : trained.dump());
}

}  // namespace

Json continue_configuration(const Json& given, const LoadedModel& model, const std::string& directory) {
  const Json& trained = model.configuration;
  const Configuration asked = Configuration::from_json(given);
  const Json written = asked.to_json();
  Json known = model.encoder->schema().to_json();
  Json columns = written["columns"];
  columns.erase("default");
  columns.erase("embedding");
  refuse_differences(columns, known["columns"], "columns", directory);
  refuse_differences(given.contains("tasks") ? written["tasks"] : Json::object(), known["tasks"], "tasks",
                     directory);
  if (given.contains("model")) refuse_differences(asked.model, trained["model"], "model", directory);
  Json json = given;
  json["columns"] = known["columns"];
  json["columns"]["default"] = "ignore";
  json["tasks"] = known["tasks"];
  json["model"] = trained["model"];
  for (const char* table : {"training", "evaluation"}) {
    if (!json.contains(table) && trained.contains(table)) json[table] = trained[table];
  }
  return json;
}

void copy_parameters(const Store<float>& from, Store<float>& to) {
  for (const std::string& path : to.paths()) {
    const std::vector<std::string> known = from.paths();
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

#include "base/error.h"
#include "features/encoder.h"

namespace gatewise {

Json Encoder::to_json() const {
  Json json{{"schema", schema_.to_json()}};
  Json& columns = json["columns"] = Json::array();
  for (const Fitted& fitted : fitted_) {
    Json scalings = Json::array();
    for (const Scaling& scaling : fitted.scalings) scalings.push_back(scaling.to_json());
    columns.push_back({{"scalings", scalings}, {"table", fitted.table}});
  }
  Json& tables = json["tables"] = Json::array();
  for (const FittedTable& table : tables_) {
    tables.push_back({{"name", table.name},
                      {"width", table.width},
                      {"bins", table.bins},
                      {"vocabulary", table.vocabulary.to_json()}});
  }
  json["space"] = space_.to_json();
  return json;
}

std::map<std::string, std::string> Encoder::vocabularies() const {
  std::map<std::string, std::string> contents;
  for (const FittedTable& table : tables_) {
    if (table.bins == 0 && !table.vocabulary.is_hashed()) contents[table.name] = table.vocabulary.content();
  }
  return contents;
}

Encoder Encoder::from_json(const Json& json, const std::map<std::string, std::string>& vocabularies) {
  try {
    return read(json, vocabularies);
  } catch (const Json::exception& fault) {
    data_error("encoder: the description is damaged: {}", fault.what());
  }
}

Encoder Encoder::read(const Json& json, const std::map<std::string, std::string>& vocabularies) {
  Encoder encoder;
  encoder.schema_ = Schema::from_json(json.at("schema"));
  for (const Json& column : json.at("columns")) {
    Fitted& fitted = encoder.fitted_.emplace_back();
    for (const Json& scaling : column.at("scalings")) fitted.scalings.push_back(Scaling::from_json(scaling));
    fitted.table = column.at("table").get<int64_t>();
  }
  for (const Json& item : json.at("tables")) {
    FittedTable& table = encoder.tables_.emplace_back();
    table.name = item.at("name").get<std::string>();
    table.width = item.at("width").get<int64_t>();
    table.bins = item.at("bins").get<int64_t>();
    const auto found = vocabularies.find(table.name);
    const std::string where = fmt::format("vocabulary of \"{}\"", table.name);
    table.vocabulary =
        Vocabulary::from_json(item.at("vocabulary"), found == vocabularies.end() ? "" : found->second, where);
  }
  encoder.space_ = FeatureSpace::from_json(json.at("space"));
  encoder.tasks_ = encoder.space_.tasks;
  return encoder;
}

}  // namespace gatewise

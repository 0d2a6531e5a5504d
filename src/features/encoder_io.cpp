#include "base/error.h"
#include "features/encoder.h"

namespace gatewise {
namespace {

// What was fitted for a column has to be what its role asks for: rows are encoded without looking.
template <class Fitted, class Table>
void check_fitted(const ColumnSpec& column, const Fitted& fitted, const std::vector<Table>& tables) {
  const bool is_binned = column.role == Role::Numeric && column.transform == "quantile";
  const bool has_table = is_binned || column.role == Role::Categorical || column.role == Role::Bag;
  const int64_t scalings = column.role == Role::Numeric ? 1 : column.role == Role::Vector ? column.width : 0;
  bool fits = static_cast<int64_t>(fitted.scalings.size()) == scalings;
  if (has_table) {
    fits = fits && fitted.table >= 0 && fitted.table < static_cast<int64_t>(tables.size());
  } else {
    fits = fits && fitted.table == -1;
  }
  if (fits && is_binned) {
    fits = tables[fitted.table].bins > static_cast<int64_t>(fitted.scalings[0].edges().size());
  } else if (fits && has_table) {
    const Table& table = tables[fitted.table];
    fits = table.bins == 0 && table.vocabulary.has_ids() == column.has_ids();
  }
  if (fits) return;
  data_error(
      "encoder: column \"{}\": got {} scalings and the table {}, which do not fit its role {}; take a whole "
      "copy of the model",
      column.name, fitted.scalings.size(), fitted.table, role_names()[static_cast<size_t>(column.role)]);
}

template <class Table>
void check_table(const Table& table) {
  constexpr int64_t most = int64_t{1} << 20;
  if (table.width >= 1 && table.width <= most && table.bins >= 0 && table.bins <= most) return;
  data_error("encoder: table \"{}\": got width {} and {} bins, expected at least 1 and 0, at most {}",
             table.name, table.width, table.bins, most);
}

void check_tasks(const std::vector<TaskSpec>& specs, const std::vector<TaskSpace>& tasks) {
  if (specs.size() != tasks.size())
    data_error("encoder: got {} tasks, expected the {} of its schema", tasks.size(), specs.size());
  for (size_t i = 0; i < tasks.size(); ++i) {
    const TaskSpace& task = tasks[i];
    const auto names = static_cast<int64_t>(task.class_names.size());
    const bool is_multiclass = task.kind == "multiclass";
    const int64_t label_classes = task.kind == "binary" ? 2 : names;
    const auto weights = static_cast<int64_t>(task.class_weights.size());
    const bool fits =
        task.name == specs[i].name && task.kind == specs[i].kind &&
        (is_multiclass ? names >= 1 && task.classes == names : names == 0 && task.classes == 1) &&
        (weights == 0 || weights == label_classes);
    if (!fits) {
      data_error(
          "encoder: task \"{}\" with {} classes, {} of them named and {} weighed, does not fit tasks.{} of "
          "kind "
          "\"{}\"",
          task.name, task.classes, names, weights, specs[i].name, specs[i].kind);
    }
  }
}

}  // namespace

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
  const std::vector<ColumnSpec>& columns = encoder.schema_.columns;
  if (encoder.fitted_.size() != columns.size())
    data_error("encoder: got {} columns, expected the {} of its schema", encoder.fitted_.size(),
               columns.size());
  for (const FittedTable& table : encoder.tables_) check_table(table);
  for (size_t c = 0; c < columns.size(); ++c) check_fitted(columns[c], encoder.fitted_[c], encoder.tables_);
  const FeatureSpace saved = FeatureSpace::from_json(json.at("space"));
  check_tasks(encoder.schema_.tasks, saved.tasks);
  encoder.tasks_ = saved.tasks;
  encoder.build_space();
  if (encoder.space_.to_json() != saved.to_json())
    data_error("encoder: the space does not follow from the columns; take a whole copy of the model");
  return encoder;
}

}  // namespace gatewise

// Which columns a schema reads, and as what.
#include <algorithm>
#include <optional>

#include "base/error.h"
#include "features/schema.h"

namespace gatewise {
namespace {

std::optional<ColumnType> type_for(const ColumnSpec& column) {
  switch (column.role) {
    case Role::Numeric:
    case Role::Weight:
      return ColumnType::Number;
    case Role::Categorical:
    case Role::Group:
      return column.has_ids() ? ColumnType::Id : ColumnType::Text;
    case Role::Bag:
      return column.has_ids() ? ColumnType::IdList : ColumnType::TextList;
    case Role::Vector:
      return ColumnType::NumberList;
    case Role::Task:
      return ColumnType::Text;
    case Role::Time:
      return ColumnType::Time;
    default:
      return std::nullopt;
  }
}

class Requests {
 public:
  explicit Requests(const Schema& schema) : schema_(schema) {}

  // `null` is the user's own list of null tokens, if any.
  void add(const std::string& name, ColumnType type, const Json& null = {},
           const std::string& separator = "|") {
    const auto found =
        std::find_if(list_.begin(), list_.end(), [&](auto& request) { return request.name == name; });
    if (found == list_.end()) {
      ColumnRequest& request = list_.emplace_back();
      request.name = name;
      request.type = type;
      request.separator = separator;
      const ColumnSpec* column = schema_.find_column(name);
      const Json& tokens = null.is_null() && column ? column->null : null;
      if (tokens.is_array()) request.null = tokens.get<std::vector<std::string>>();
    } else if (found->type != type) {
      const auto is_list = [](ColumnType t) {
        return t == ColumnType::IdList || t == ColumnType::NumberList || t == ColumnType::TextList;
      };
      if (is_list(found->type) || is_list(type)) {
        command_error("columns.{}: the column is used as {} and as {}; drop one use", name,
                      type_name(found->type), type_name(type));
      }
      found->type = ColumnType::Text;
    }
  }

  std::vector<ColumnRequest> take() { return std::move(list_); }

 private:
  const Schema& schema_;
  std::vector<ColumnRequest> list_;
};

}  // namespace

std::vector<ColumnRequest> Schema::requests(bool with_labels) const {
  Requests requests(*this);
  const bool needs_time = split.kind == "time" && split.column.empty();
  for (const ColumnSpec& column : columns) {
    if (!with_labels && !column.is_feature() && column.role != Role::Task) continue;
    if (column.role == Role::Time && !needs_time) continue;
    if (const std::optional<ColumnType> type = type_for(column))
      requests.add(column.name, *type, column.null, column.separator);
    if (!column.weights.empty()) requests.add(column.weights, ColumnType::NumberList, {}, column.separator);
  }
  if (!with_labels) return requests.take();
  std::vector<TaskSpec> all = tasks;
  if (other_tasks) all.push_back(*other_tasks);
  for (const TaskSpec& task : all) {
    requests.add(task.column, task.reads_text() ? ColumnType::Text : ColumnType::Number, task.null);
    if (!task.weight_column.empty()) requests.add(task.weight_column, ColumnType::Number);
  }
  if (split.kind == "column") requests.add(split.column, ColumnType::Text);
  if (split.kind == "fraction" && !split.by.empty()) requests.add(split.by, ColumnType::Text);
  if (split.kind == "time" && !split.column.empty()) requests.add(split.column, ColumnType::Time);
  return requests.take();
}

}  // namespace gatewise

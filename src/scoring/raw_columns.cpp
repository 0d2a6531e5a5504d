#include "scoring/raw_columns.h"

namespace gatewise {
namespace {

RawKind kind_of_feature(const ColumnSpec& column) {
  switch (column.role) {
    case Role::Categorical:
      return column.has_ids() ? RawKind::Id : RawKind::Text;
    case Role::Bag:
      return column.has_ids() ? RawKind::Ids : RawKind::Texts;
    case Role::Vector:
      return RawKind::Numbers;
    case Role::Task:
      return RawKind::Task;
    default:
      return RawKind::Number;
  }
}

}  // namespace

std::vector<RawColumn> raw_columns(const Encoder& encoder) {
  const Schema& schema = encoder.schema();
  std::vector<RawColumn> columns;
  for (const ColumnRequest& request : schema.requests(false)) {
    RawColumn& column = columns.emplace_back();
    column.name = request.name;
    for (size_t i = 0; i < schema.columns.size(); ++i) {
      const ColumnSpec& spec = schema.columns[i];
      if (spec.weights == column.name) column.weighs = spec.name;
      if (spec.name != column.name || !(spec.is_feature() || spec.role == Role::Task)) continue;
      column.kind = kind_of_feature(spec);
      if (!spec.is_feature()) continue;
      column.scalings = encoder.scalings(i);
      if (spec.role == Role::Vector) column.width = static_cast<int64_t>(column.scalings.size());
      if (encoder.table_of(i) >= 0) column.vocabulary = encoder.vocabulary(encoder.table_of(i));
    }
    if (!column.weighs.empty()) column.kind = RawKind::Numbers;
  }
  return columns;
}

const char* raw_kind_name(RawKind kind) {
  constexpr const char* names[] = {"number",        "text",        "id",  "list of numbers",
                                   "list of texts", "list of ids", "task"};
  return names[static_cast<size_t>(kind)];
}

}  // namespace gatewise

#include "table/column.h"

#include <type_traits>

namespace gatewise {
namespace {

template <class T>
std::vector<T> gather(const std::vector<T>& values, const std::vector<int64_t>& rows) {
  std::vector<T> result;
  result.reserve(rows.size());
  for (const int64_t row : rows) result.push_back(values[row]);
  return result;
}

// Gathers lists: returns the new offsets and fills `to` from `from`.
template <class T>
std::vector<int64_t> gather_lists(const std::vector<int64_t>& offsets, const std::vector<T>& from,
                                  const std::vector<int64_t>& rows, std::vector<T>& to) {
  std::vector<int64_t> result{0};
  result.reserve(rows.size() + 1);
  for (const int64_t row : rows) {
    to.insert(to.end(), from.begin() + offsets[row], from.begin() + offsets[row + 1]);
    result.push_back(static_cast<int64_t>(to.size()));
  }
  return result;
}

Numbers select_rows(const Numbers& data, const std::vector<int64_t>& rows) {
  return {gather(data.values, rows), data.are_times};
}

IdValues select_rows(const IdValues& data, const std::vector<int64_t>& rows) {
  IdValues result{gather(data.values, rows), {}};
  if (!data.present.empty()) result.present = gather(data.present, rows);
  return result;
}

Texts select_rows(const Texts& data, const std::vector<int64_t>& rows) {
  return {gather(data.codes, rows), data.levels};
}

IdLists select_rows(const IdLists& data, const std::vector<int64_t>& rows) {
  IdLists result;
  result.offsets = gather_lists(data.offsets, data.ids, rows, result.ids);
  return result;
}

NumberLists select_rows(const NumberLists& data, const std::vector<int64_t>& rows) {
  NumberLists result;
  result.offsets = gather_lists(data.offsets, data.values, rows, result.values);
  return result;
}

TextLists select_rows(const TextLists& data, const std::vector<int64_t>& rows) {
  TextLists result;
  result.levels = data.levels;
  result.offsets = gather_lists(data.offsets, data.codes, rows, result.codes);
  return result;
}

}  // namespace

const char* type_name(ColumnType type) {
  switch (type) {
    case ColumnType::Number:
      return "number";
    case ColumnType::Id:
      return "id";
    case ColumnType::Text:
      return "text";
    case ColumnType::Time:
      return "time";
    case ColumnType::IdList:
      return "list of ids";
    case ColumnType::NumberList:
      return "list of numbers";
    case ColumnType::TextList:
      return "list of texts";
  }
  return "";
}

int64_t Column::rows() const {
  return std::visit(
      [](const auto& column) {
        using T = std::decay_t<decltype(column)>;
        if constexpr (std::is_same_v<T, Texts>) {
          return static_cast<int64_t>(column.codes.size());
        } else if constexpr (std::is_same_v<T, Numbers> || std::is_same_v<T, IdValues>) {
          return static_cast<int64_t>(column.values.size());
        } else {
          return static_cast<int64_t>(column.offsets.size()) - 1;
        }
      },
      data);
}

ColumnType Column::type() const {
  constexpr ColumnType types[] = {ColumnType::Number, ColumnType::Id,         ColumnType::Text,
                                  ColumnType::IdList, ColumnType::NumberList, ColumnType::TextList};
  return types[data.index()];
}

Column Column::select(const std::vector<int64_t>& selected) const {
  Column result{name, {}};
  std::visit([&](const auto& column) { result.data = select_rows(column, selected); }, data);
  return result;
}

}  // namespace gatewise

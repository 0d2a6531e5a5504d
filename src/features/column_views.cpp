#include "features/column_views.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "table/parse.h"
#include "table/string_index.h"

namespace gatewise {
namespace {

// The table's own data, not owned.
template <class T>
std::shared_ptr<const T> borrow(const T& data) {
  return {std::shared_ptr<const T>(), &data};
}

[[noreturn]] void type_error(const Table& table, const Column& column, ColumnType wanted,
                             const char* advice) {
  data_error("{}: column \"{}\" holds {}s; expected {}s; {}", table.name(), column.name,
             type_name(column.type()), type_name(wanted), advice);
}

// The first row that has the level.
int64_t first_row_of(const Texts& texts, uint32_t level) {
  return std::find(texts.codes.begin(), texts.codes.end(), level) - texts.codes.begin();
}

// Which levels occur: a table split in parts still has the levels of all its rows.
std::vector<uint8_t> used_levels(const Texts& texts) {
  std::vector<uint8_t> used(texts.levels.size());
  for (const uint32_t code : texts.codes) {
    if (code != missing_code) used[code] = 1;
  }
  return used;
}

std::shared_ptr<const Numbers> numbers_from(const Table& table, const std::string& column, const Texts& texts,
                                            const Json& null) {
  const std::vector<uint8_t> used = used_levels(texts);
  std::vector<double> level_values(texts.levels.size());
  auto numbers = std::make_shared<Numbers>();
  for (size_t level = 0; level < texts.levels.size(); ++level) {
    const std::string_view text = trim_blanks(texts.levels[level]);
    level_values[level] = std::nan("");
    if (!used[level] || std::find(null.begin(), null.end(), text) != null.end()) continue;
    std::optional<double> value = parse_numeric(text);
    if (!value) {
      value = parse_time(text);
      numbers->are_times = numbers->are_times || value.has_value();
    }
    if (!value) {
      value_error(
          table, first_row_of(texts, static_cast<uint32_t>(level)), column,
          fmt::format("\"{}\" is not a number; correct the value or add it to the column's null tokens",
                      texts.levels[level]));
    }
    level_values[level] = *value;
  }
  numbers->values.reserve(texts.codes.size());
  for (const uint32_t code : texts.codes)
    numbers->values.push_back(code == missing_code ? std::nan("") : level_values[code]);
  return numbers;
}

std::shared_ptr<const Numbers> numbers_from(const IdValues& ids) {
  auto numbers = std::make_shared<Numbers>();
  for (size_t row = 0; row < ids.values.size(); ++row) {
    numbers->values.push_back(ids.is_present(static_cast<int64_t>(row)) ? static_cast<double>(ids.values[row])
                                                                        : std::nan(""));
  }
  return numbers;
}

std::shared_ptr<const Texts> texts_from(int64_t rows,
                                        const std::function<std::optional<std::string>(int64_t)>& text) {
  auto texts = std::make_shared<Texts>();
  StringIndex index;
  for (int64_t row = 0; row < rows; ++row) {
    const std::optional<std::string> value = text(row);
    texts->codes.push_back(value ? index.add(*value) : missing_code);
  }
  texts->levels = index.take();
  return texts;
}

void check_finite(const Table& table, const std::string& column, const std::vector<double>& values,
                  const std::function<int64_t(int64_t)>& row_of) {
  const auto found =
      std::find_if(values.begin(), values.end(), [](double value) { return std::isinf(value); });
  if (found == values.end()) return;
  value_error(table, row_of(found - values.begin()), column,
              "the value is infinite; expected a finite number, or an empty field or NaN for a missing one");
}

}  // namespace

void value_error(const Table& table, int64_t row, const std::string& column, const std::string& what) {
  data_error("{}: column \"{}\": {}", table.place(row), column, what);
}

std::shared_ptr<const Numbers> numbers_of(const Table& table, const std::string& name, const Json& null) {
  const Column& column = table.column(name);
  std::shared_ptr<const Numbers> numbers;
  if (const auto* own = std::get_if<Numbers>(&column.data)) numbers = borrow(*own);
  if (const auto* texts = std::get_if<Texts>(&column.data)) numbers = numbers_from(table, name, *texts, null);
  if (const auto* ids = std::get_if<IdValues>(&column.data)) numbers = numbers_from(*ids);
  if (!numbers) type_error(table, column, ColumnType::Number, "give the column the role bag or vector");
  check_finite(table, name, numbers->values, [](int64_t row) { return row; });
  return numbers;
}

std::shared_ptr<const Texts> texts_of(const Table& table, const std::string& name) {
  using Text = std::optional<std::string>;
  const Column& column = table.column(name);
  if (const auto* own = std::get_if<Texts>(&column.data)) return borrow(*own);
  if (const auto* ids = std::get_if<IdValues>(&column.data)) {
    return texts_from(table.rows(), [&](int64_t row) {
      return ids->is_present(row) ? Text(std::to_string(ids->values[row])) : Text();
    });
  }
  if (const auto* numbers = std::get_if<Numbers>(&column.data)) {
    return texts_from(table.rows(), [&](int64_t row) {
      return std::isnan(numbers->values[row]) ? Text() : Text(fmt::format("{}", numbers->values[row]));
    });
  }
  type_error(table, column, ColumnType::Text, "give the column the role bag or vector");
}

std::shared_ptr<const IdValues> ids_of(const Table& table, const std::string& name) {
  const Column& column = table.column(name);
  if (const auto* own = std::get_if<IdValues>(&column.data)) return borrow(*own);
  const auto* texts = std::get_if<Texts>(&column.data);
  if (!texts)
    type_error(table, column, ColumnType::Id, "ids never pass through floating point: hand over integers");
  const std::vector<uint8_t> used = used_levels(*texts);
  std::vector<uint64_t> level_ids(texts->levels.size());
  for (size_t level = 0; level < texts->levels.size(); ++level) {
    if (used[level] && parse_id(trim_blanks(texts->levels[level]), level_ids[level]) != IdParse::Ok) {
      value_error(
          table, first_row_of(*texts, static_cast<uint32_t>(level)), name,
          fmt::format("\"{}\" is not a 64-bit id; read the column as type = \"text\"", texts->levels[level]));
    }
  }
  auto ids = std::make_shared<IdValues>();
  for (const uint32_t code : texts->codes) {
    ids->values.push_back(code == missing_code ? 0 : level_ids[code]);
    ids->present.push_back(code != missing_code);
  }
  return ids;
}

std::shared_ptr<const IdLists> id_lists_of(const Table& table, const std::string& name) {
  const Column& column = table.column(name);
  if (const auto* own = std::get_if<IdLists>(&column.data)) return borrow(*own);
  type_error(table, column, ColumnType::IdList, "for lists of texts set type = \"text\"");
}

std::shared_ptr<const TextLists> text_lists_of(const Table& table, const std::string& name) {
  const Column& column = table.column(name);
  if (const auto* own = std::get_if<TextLists>(&column.data)) return borrow(*own);
  type_error(table, column, ColumnType::TextList, "for lists of ids set type = \"id\"");
}

std::shared_ptr<const NumberLists> number_lists_of(const Table& table, const std::string& name) {
  const Column& column = table.column(name);
  const auto* own = std::get_if<NumberLists>(&column.data);
  if (!own)
    type_error(table, column, ColumnType::NumberList, "a vector or list of weights is a list of numbers");
  check_finite(table, name, own->values, [&](int64_t item) {
    return std::upper_bound(own->offsets.begin(), own->offsets.end(), item) - own->offsets.begin() - 1;
  });
  return borrow(*own);
}

}  // namespace gatewise

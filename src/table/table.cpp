#include "table/table.h"

#include <algorithm>

#include "base/error.h"

namespace gatewise {

Table Table::from_columns(std::string name, std::vector<Column> columns) {
  Table table({{std::move(name)}}, columns.empty() ? 0 : columns.front().rows());
  for (Column& column : columns) table.add(std::move(column));
  return table;
}

std::vector<std::string> Table::column_names() const {
  std::vector<std::string> names;
  for (const Column& column : columns_) names.push_back(column.name);
  return names;
}

const Column* Table::find(const std::string& column) const {
  const auto found =
      std::find_if(columns_.begin(), columns_.end(), [&](const Column& c) { return c.name == column; });
  return found == columns_.end() ? nullptr : &*found;
}

const Column& Table::column(const std::string& column) const {
  const Column* found = find(column);
  if (!found)
    data_error("{}: there is no column \"{}\".{}", name(), column, suggestion(column, column_names()));
  return *found;
}

void Table::add(Column column) {
  if (find(column.name))
    data_error("{}: column \"{}\" is given twice; rename one of them", name(), column.name);
  if (column.rows() != rows_) {
    data_error("{}: column \"{}\" has the wrong length; got {} rows, expected {}", name(), column.name,
               column.rows(), rows_);
  }
  columns_.push_back(std::move(column));
}

std::string Table::name() const {
  if (sources_.empty()) return "table";
  if (sources_.size() == 1) return sources_.front().name;
  return fmt::format("{} and {} more file{}", sources_.front().name, sources_.size() - 1,
                     sources_.size() > 2 ? "s" : "");
}

std::string Table::place(int64_t row) const {
  if (!source_rows_.empty()) row = source_rows_[row];
  const auto after = std::upper_bound(sources_.begin(), sources_.end(), row,
                                      [](int64_t r, const Source& source) { return r < source.first_row; });
  if (after == sources_.begin()) return fmt::format("{}: row {}", name(), row + 1);
  const Source& source = *(after - 1);
  const int64_t row_in_source = row - source.first_row;
  if (source.line_of_row) {
    if (const auto line = source.line_of_row(row_in_source)) return fmt::format("{}:{}", source.name, *line);
  }
  return fmt::format("{}: row {}", source.name, row_in_source + 1);
}

Table Table::select(const std::vector<int64_t>& rows) const {
  Table result = without_columns(rows);
  for (const Column& column : columns_) result.columns_.push_back(column.select(rows));
  return result;
}

Table Table::select(const std::vector<int64_t>& rows, const std::string& column) const {
  Table result = without_columns(rows);
  result.columns_.push_back(this->column(column).select(rows));
  return result;
}

Table Table::without_columns(const std::vector<int64_t>& rows) const {
  Table result(sources_, static_cast<int64_t>(rows.size()));
  result.source_rows_ = rows;
  if (!source_rows_.empty()) {
    for (int64_t& row : result.source_rows_) row = source_rows_[row];
  }
  return result;
}

}  // namespace gatewise

// Named typed columns of equal length that know where each row came from.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "table/column.h"

namespace gatewise {

// One file, or columns in memory, that rows of a table came from.
struct Source {
  std::string name;
  int64_t first_row = 0;  // the table's first row from this source
  // Of a text file: the line on which a row of it (counted from 0) starts, where it can be told.
  std::function<std::optional<int64_t>(int64_t row)> line_of_row = {};
};

class Table {
 public:
  Table() = default;
  // A table with no columns as yet; columns added must have `rows` rows.
  Table(std::vector<Source> sources, int64_t rows) : rows_(rows), sources_(std::move(sources)) {}
  // A table from columns in memory, `name` serves messages. Throws Error(Data) when lengths differ or a name
  // is given twice.
  static Table from_columns(std::string name, std::vector<Column> columns);

  int64_t rows() const { return rows_; }
  const std::vector<Column>& columns() const { return columns_; }
  std::vector<std::string> column_names() const;
  // The column of that name or nullptr.
  const Column* find(const std::string& column) const;
  // Throws Error(Data), with the nearest names, when there is no such column.
  const Column& column(const std::string& column) const;
  void add(Column column);

  // What the rows came from, for messages about the table as a whole: "train.csv", "a.csv and 3 more files".
  std::string name() const;
  // Where a row came from: "train.csv:1204" (the line where its record starts) or "train.parquet: row 17"
  // (counted from 1). Reads the CSV file again to find the line, so it is for messages only.
  std::string place(int64_t row) const;

  // The given rows in the given order, still knowing where they came from.
  Table select(const std::vector<int64_t>& rows) const;
  // The same with one column alone.
  Table select(const std::vector<int64_t>& rows, const std::string& column) const;

 private:
  Table without_columns(const std::vector<int64_t>& rows) const;

  int64_t rows_ = 0;
  std::vector<Column> columns_;
  std::vector<Source> sources_;
  std::vector<int64_t> source_rows_;  // row -> row in the sources; empty when they are the same
};

}  // namespace gatewise

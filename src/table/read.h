// CSV (also .gz, .xz, .zst) and Parquet files to tables of typed columns.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "table/table.h"

namespace gatewise {

struct ColumnRequest {
  std::string name;
  ColumnType type = ColumnType::Text;
  // Texts that mean "missing" in this column, compared after trimming; without a value ReadOptions::null.
  std::optional<std::vector<std::string>> null;
  std::string separator = "|";  // between the items of a list in a text field
};

struct ReadOptions {
  std::vector<ColumnRequest> columns;  // the columns to read, in this order
  // Read every column: those not requested as Text, or by Parquet type as Number (floating point), or lists.
  bool all_columns = false;

  // The rest concerns CSV, but for `null` and `trim`, which hold for text in Parquet too.
  std::vector<std::string> null{""};
  bool trim = true;
  char delimiter = ',';
  char quote = '"';
  bool header = true;
  // Names in place of the header's; without header and names the columns are f0, f1, ...
  std::vector<std::string> column_names;
  int64_t skip_rows = 0;  // lines before the header (or before the first row)
  int64_t max_rows = 0;   // read no further; 0 means all
};

// Files named by paths and patterns (* ? [...] and a leading ~), each pattern's matches sorted. Throws
// Error(Data) when one names no file.
std::vector<std::string> expand_files(const std::vector<std::string>& files_or_globs);

// The names of a file's columns. Throws Error(Data).
std::vector<std::string> read_column_names(const std::string& file, const ReadOptions& options);

// Reads all files, one after another, into one table. Each file must have every requested column; their order
// may differ. Throws Error(Data) with file, line and column.
Table read_table(const std::vector<std::string>& files_or_globs, const ReadOptions& options);

}  // namespace gatewise

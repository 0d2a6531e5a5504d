// How columns are read from files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "table/column.h"

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
  // Read every column: those not requested as Text, or by Parquet type as Number (floating point), or lists;
  // those of a type that cannot be read (unread_columns()) are left out.
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

}  // namespace gatewise

// A plain scan of a CSV file: its header, and the lines that messages name. Only faults need lines, so the
// file is read a second time then and the fast reader need not count them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gatewise {

// How the text of a CSV file is cut into records.
struct CsvLayout {
  char delimiter = ',';
  char quote = '"';
  int64_t skip_rows = 0;  // lines before the header
  bool has_header = true;
};

// The line (counted from 1) on which row `row` (counted from 0, header not counted) starts. Nothing when the
// file has fewer rows or can no longer be read.
std::optional<int64_t> line_of_row(const std::string& path, const CsvLayout& layout, int64_t row);

struct FirstRecord {
  std::vector<std::string> fields;  // trimmed and without quotes; none when the file has no record
  int64_t last_line = 0;            // the line it ends on
};

// Throws Error(Data).
FirstRecord read_first_record(const std::string& path, const CsvLayout& layout);

struct CsvFault {
  int64_t line;
  int64_t fields;      // found in the record
  bool is_quote_open;  // the file ends within quotes that this record opens
};

// The first record without `expected` fields, or with a quote that is never closed.
std::optional<CsvFault> find_csv_fault(const std::string& path, const CsvLayout& layout, int64_t expected);

}  // namespace gatewise

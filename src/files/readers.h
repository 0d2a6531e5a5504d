// The two readers behind read_table.
#pragma once

#include <string>
#include <vector>

#include "files/csv_scan.h"
#include "table/column_builder.h"
#include "table/table_files.h"

namespace gatewise {

// A column as its file offers it, with the type it is read as when nothing else is asked for.
struct OfferedColumn {
  std::string name;
  ColumnType type;
  std::string unread = {};  // the stored type, where nothing can be read of it
};

std::vector<OfferedColumn> csv_columns(const std::string& file, const ReadOptions& options);
std::vector<OfferedColumn> parquet_columns(const std::string& file);

// Appends the file's rows to the builders, which are for columns the file has; stops after `most_rows` rows
// (0: none) and returns how many were added.
int64_t append_csv(const std::string& file, const ReadOptions& options, std::vector<ColumnBuilder>& builders,
                   int64_t most_rows);
int64_t append_parquet(const std::string& file, std::vector<ColumnBuilder>& builders, int64_t most_rows);

CsvLayout csv_layout(const ReadOptions& options);

}  // namespace gatewise

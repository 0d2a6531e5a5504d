// CSV (also .gz, .xz, .zst) and Parquet files to tables of typed columns.
#pragma once

#include <string>
#include <vector>

#include "table/read_options.h"
#include "table/table.h"

namespace gatewise {

// Files named by paths and patterns (* ? [...] and a leading ~), each pattern's matches sorted. Throws
// Error(Data) when one names no file.
std::vector<std::string> expand_files(const std::vector<std::string>& files_or_globs);

// The names of a file's columns. Throws Error(Data).
std::vector<std::string> read_column_names(const std::string& file, const ReadOptions& options);

// Reads all files, one after another, into one table. Each file must have every requested column; their order
// may differ. Throws Error(Data) with file, line and column.
Table read_table(const std::vector<std::string>& files_or_globs, const ReadOptions& options);

}  // namespace gatewise

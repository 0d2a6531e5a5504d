// Files of tables, for all who read them: what reads them registers itself. The folder `files` does; a
// program that is linked without it, as the Python package is, has tables in memory alone.
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

// A column of a type that no column of a table can have, as Parquet's structures.
struct UnreadColumn {
  std::string name, type;
};
// Those of a file, which `all_columns` leaves out. Throws Error(Data).
std::vector<UnreadColumn> unread_columns(const std::string& file, const ReadOptions& options);

// Reads all files, one after another, into one table. Each file must have every requested column; their order
// may differ. Throws Error(Data) with file, line and column.
Table read_table(const std::vector<std::string>& files_or_globs, const ReadOptions& options);

// Does what the functions above say; they throw Error(Command) where none is registered.
class TableFiles {
 public:
  virtual ~TableFiles() = default;
  virtual std::vector<std::string> expand(const std::vector<std::string>& files_or_globs) const = 0;
  virtual std::vector<std::string> column_names(const std::string& file,
                                                const ReadOptions& options) const = 0;
  virtual std::vector<UnreadColumn> unread_columns(const std::string& file,
                                                   const ReadOptions& options) const = 0;
  virtual Table read(const std::vector<std::string>& files_or_globs, const ReadOptions& options) const = 0;
};

// Makes `files`, which lives as long as the program, what reads files. Before main() only.
struct RegisterTableFiles {
  explicit RegisterTableFiles(const TableFiles& files);
};

}  // namespace gatewise

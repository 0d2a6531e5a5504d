#include "table/table_files.h"

#include "base/error.h"

namespace gatewise {
namespace {

const TableFiles*& registered_files() {
  static const TableFiles* files = nullptr;
  return files;
}

const TableFiles& table_files() {
  if (registered_files() == nullptr)
    command_error(
        "files: this build reads no files; hand over tables in memory, or use the program gatewise");
  return *registered_files();
}

}  // namespace

std::vector<std::string> expand_files(const std::vector<std::string>& files_or_globs) {
  return table_files().expand(files_or_globs);
}

std::vector<std::string> read_column_names(const std::string& file, const ReadOptions& options) {
  return table_files().column_names(file, options);
}

std::vector<UnreadColumn> unread_columns(const std::string& file, const ReadOptions& options) {
  return table_files().unread_columns(file, options);
}

Table read_table(const std::vector<std::string>& files_or_globs, const ReadOptions& options) {
  return table_files().read(files_or_globs, options);
}

RegisterTableFiles::RegisterTableFiles(const TableFiles& files) { registered_files() = &files; }

}  // namespace gatewise

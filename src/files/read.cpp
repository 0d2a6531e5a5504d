#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>

#include "base/error.h"
#include "files/byte_source.h"
#include "files/readers.h"
#include "table/table_files.h"

namespace gatewise {
namespace {

std::vector<OfferedColumn> offered_columns(const std::string& file, const ReadOptions& options) {
  std::vector<OfferedColumn> columns =
      detect_format(file) == FileFormat::Parquet ? parquet_columns(file) : csv_columns(file, options);
  std::set<std::string> seen;
  for (const OfferedColumn& column : columns) {
    if (!seen.insert(column.name).second) {
      data_error("{}: two columns are named \"{}\"; rename one, or give names by data.column_names", file,
                 column.name);
    }
  }
  return columns;
}

std::vector<std::string> names_of(const std::vector<OfferedColumn>& columns) {
  std::vector<std::string> names;
  for (const OfferedColumn& column : columns) names.push_back(column.name);
  return names;
}

std::vector<ColumnBuilder> make_builders(const std::vector<OfferedColumn>& offered,
                                         const ReadOptions& options) {
  std::vector<ColumnRequest> requests = options.columns;
  if (options.all_columns) {
    for (const OfferedColumn& column : offered) {
      const auto is_same = [&](const ColumnRequest& request) { return request.name == column.name; };
      if (std::none_of(requests.begin(), requests.end(), is_same)) {
        requests.push_back({column.name, column.type, std::nullopt, "|"});
      }
    }
  }
  std::vector<ColumnBuilder> builders;
  for (const ColumnRequest& request : requests) builders.emplace_back(request, options);
  return builders;
}

void check_columns(const std::string& file, const std::vector<OfferedColumn>& offered,
                   const std::vector<ColumnBuilder>& builders) {
  const std::vector<std::string> names = names_of(offered);
  for (const ColumnBuilder& builder : builders) {
    if (std::find(names.begin(), names.end(), builder.name()) == names.end()) {
      data_error("{}: there is no column \"{}\".{}", file, builder.name(), suggestion(builder.name(), names));
    }
  }
}

std::vector<std::string> expand_patterns(const std::vector<std::string>& files_or_globs) {
  std::vector<std::string> files;
  for (const std::string& pattern : files_or_globs) {
    // A file of exactly that name, with brackets in it, is meant itself.
    if (std::filesystem::exists(pattern)) {
      files.push_back(pattern);
      continue;
    }
    glob_t found{};
    const int status = glob(pattern.c_str(), GLOB_TILDE, nullptr, &found);
    std::vector<std::string> matches(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
    if (status != 0 || matches.empty()) {
      const bool is_pattern = pattern.find_first_of("*?[") != std::string::npos;
      data_error("{}: {}", pattern, is_pattern ? "no file matches this pattern" : "there is no such file");
    }
    files.insert(files.end(), matches.begin(), matches.end());
  }
  return files;
}

Table read_all_files(const std::vector<std::string>& files_or_globs, const ReadOptions& options) {
  const std::vector<std::string> files = expand_patterns(files_or_globs);
  if (files.empty()) data_error("data: no file is named; expected at least one");
  std::vector<ColumnBuilder> builders;
  std::vector<Source> sources;
  int64_t rows = 0;
  for (const std::string& file : files) {
    if (options.max_rows > 0 && rows >= options.max_rows) break;
    const std::vector<OfferedColumn> offered = offered_columns(file, options);
    if (sources.empty()) builders = make_builders(offered, options);
    check_columns(file, offered, builders);
    const bool is_parquet = detect_format(file) == FileFormat::Parquet;
    sources.push_back({file, rows});
    if (!is_parquet) {
      sources.back().line_of_row = [file, layout = csv_layout(options)](int64_t row) {
        return line_of_row(file, layout, row);
      };
    }
    const int64_t most_rows = options.max_rows > 0 ? options.max_rows - rows : 0;
    rows += is_parquet ? append_parquet(file, builders, most_rows)
                       : append_csv(file, options, builders, most_rows);
  }
  Table table(std::move(sources), rows);
  if (rows == 0) data_error("{}: there are no rows; expected at least one", table.name());
  for (ColumnBuilder& builder : builders) table.add(builder.finish());
  return table;
}

class ArrowTableFiles final : public TableFiles {
 public:
  std::vector<std::string> expand(const std::vector<std::string>& files_or_globs) const override {
    return expand_patterns(files_or_globs);
  }
  std::vector<std::string> column_names(const std::string& file, const ReadOptions& options) const override {
    return names_of(offered_columns(file, options));
  }
  Table read(const std::vector<std::string>& files_or_globs, const ReadOptions& options) const override {
    return read_all_files(files_or_globs, options);
  }
};

const ArrowTableFiles arrow_table_files;
const RegisterTableFiles files_registered(arrow_table_files);

}  // namespace
}  // namespace gatewise

// CSV files: how they are read as JSON, then the file. Columns are read as asked for, or their roles are
// guessed.
#include "base/error.h"
#include "features/propose.h"
#include "table/table_files.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

namespace gatewise {
namespace {

ReadOptions options_of(const Json& json) {
  ReadOptions options;
  const auto character = [&](const char* key, char otherwise) {
    const std::string text = json.value(key, std::string());
    return text.empty() ? otherwise : text[0];
  };
  options.delimiter = character("delimiter", ',');
  options.quote = character("quote", '"');
  options.header = json.value("header", true);
  options.trim = json.value("trim", true);
  options.skip_rows = json.value("skip_rows", int64_t{0});
  options.max_rows = json.value("max_rows", int64_t{0});
  options.all_columns = json.value("all_columns", true);
  const Json columns = json.value("columns", Json::object());
  for (const auto& [name, type] : columns.items())
    options.columns.push_back({name, static_cast<ColumnType>(type.get<uint64_t>() % 7), std::nullopt, "|"});
  return options;
}

void read_csv(std::string_view input) {
  const std::vector<std::string> parts = fuzz_parts(input);
  if (parts.size() < 2) return;
  ReadOptions options;
  try {
    options = options_of(Json::parse(parts[0]));
  } catch (const Json::exception&) {
    return;  // these are the target's own options
  }
  const MemoryFile file(parts[1]);
  const Table table = read_table({file.path()}, options);
  fuzz_require(table.rows() > 0, "a table without rows");
  const Schema schema = Schema::from_json(Json::object());
  propose_columns(table, schema);
  for (const std::string& column : find_label_candidates(table)) propose_task(table, column);
}

std::vector<std::string> csv_files() {
  const std::string file =
      "age,name,tags,when,label\n1,\"a \"\"b\"\", c\",1|2,2011-01-31,0\n 2 "
      ",,\"3\n|4\",2012-02-29T12:00:00Z,1\n"
      "-3e2,d,,,0\r\n";
  return {join_fuzz_parts({R"({"columns": {"age": 0, "name": 2, "tags": 6, "when": 3}})", file}),
          join_fuzz_parts({R"({"columns": {}, "header": false, "skip_rows": 1})", file}),
          join_fuzz_parts(
              {R"({"delimiter": ";", "quote": "'", "trim": false, "max_rows": 2})", "a;b\n1;'x;y'\n"}),
          join_fuzz_parts({R"({"columns": {"id": 1, "text": 6, "v": 5}})",
                           "\xef\xbb\xbfid,text,v\n18446744073709551615,a|b||c,1|2|x\n"})};
}

std::vector<std::string> csv_words() {
  return {"\n",
          "\r\n",
          "\"",
          "\"\"",
          ",",
          "|",
          "NA",
          "1e999",
          "-inf",
          "nan",
          "18446744073709551616",
          "\xef\xbb\xbf",
          std::string(1, '\0'),
          "2011-02-30",
          "\x1f\x8b\x08",
          "PAR1",
          "\xfd"
          "7zXZ"};
}

const RegisterFuzzTarget csv_registered{"csv", {read_csv, csv_files, csv_words, 2000}};

}  // namespace
}  // namespace gatewise

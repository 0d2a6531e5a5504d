// Rows with a column of every kind that a schema knows.
#pragma once

#include "features/encoder.h"
#include "features/row_encoder.h"
#include "table/table_files.h"
#include "tests/table/files.h"

namespace gatewise {

inline const std::string every_kind_csv =
    "age,pages,spent,colour,user,zip,seen,weights,tags,place,click,amount,grade\n"
    "20,1,3, red ,7,10,7|8,0.5|2,new|hot,1|2,0,1.5,a\n"
    "35,8,,blue,8,20,9,1,hot,3|4,1,2,b\n"
    ",3,5,?,9,10,,,old| |new,,1,0.25,c\n"
    "65,5,1,red,,30,8|8|7,1|1|0.25,,5|-1,0,7,a\n"
    "41,2,9,\"green, dark\",7,20,7,3,hot,0|0,1,4,b\n"
    "28,9,4,blue,18446744073709551615,10,9|7,1|1,old,2|1,0,3.5,c\n";

inline Schema every_kind_schema() {
  return Schema::from_json(Json::parse(R"({"data": {"null": ["", "?"]}, "columns": {
    "age": {"role": "numeric", "missing_indicator": true},
    "pages": {"role": "numeric", "transform": "log1p"},
    "spent": {"role": "numeric", "transform": "quantile", "bins": 3, "missing_indicator": true},
    "colour": {"role": "categorical"},
    "user": {"role": "categorical", "type": "id"},
    "zip": {"role": "categorical", "hash_buckets": 5},
    "seen": {"role": "bag", "table": "user", "weights": "weights"},
    "tags": {"role": "bag", "type": "text"},
    "place": {"role": "vector", "missing_indicator": true}},
    "tasks": {"click": {}, "amount": {"kind": "regression", "transform": "log1p"},
      "grade": {"kind": "multiclass"}}})"));
}

// Reads the file with the columns that the schema wants.
inline Table read_every_kind(const std::string& file, const Schema& schema, bool with_labels) {
  ReadOptions options = schema.data.read_options(Part::Train);
  options.columns = schema.requests(with_labels);
  return read_table({file}, options);
}

// The fields of each line but the first by the names of the first, as they stand between the commas.
inline std::vector<std::map<std::string, std::string>> fields_of(const std::string& csv) {
  std::vector<std::vector<std::string>> lines(1, {""});
  bool is_quoted = false;
  for (const char c : csv) {
    if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == ',' && !is_quoted) {
      lines.back().emplace_back();
    } else if (c == '\n') {
      lines.push_back({""});
    } else {
      lines.back().back() += c;
    }
  }
  std::vector<std::map<std::string, std::string>> rows;
  for (size_t line = 1; line + 1 < lines.size(); ++line) {
    rows.emplace_back();
    for (size_t i = 0; i < lines[0].size(); ++i) rows.back()[lines[0][i]] = lines[line][i];
  }
  return rows;
}

}  // namespace gatewise

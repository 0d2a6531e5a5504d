#include "features/split.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "features/column_views.h"
#include "table/parse.h"
#include "table/table_files.h"

namespace gatewise {
namespace {

using Fractions = std::array<double, 3>;

Fractions cumulative(const Json& fractions) {
  Fractions ends{};
  double sum = 0;
  for (const Part part : all_parts)
    ends[static_cast<size_t>(part)] = sum += fractions.value(part_name(part), 0.0);
  return ends;
}

// The part whose share of [0, 1) holds `u`; rounding of the sum leaves nothing over.
Part part_at(double u, const Fractions& ends) {
  if (u < ends[0]) return Part::Train;
  if (u < ends[1]) return Part::Validation;
  return ends[2] > ends[1] ? Part::Test : ends[1] > ends[0] ? Part::Validation : Part::Train;
}

std::vector<Part> by_fraction(const Table& table, const SplitSpec& split) {
  const Fractions ends = cumulative(split.fractions);
  const uint64_t seed = mix64(static_cast<uint64_t>(split.seed));
  const auto part_of = [&](uint64_t key) {
    return part_at(static_cast<double>(mix64(key ^ seed) >> 11) * 0x1p-53, ends);
  };
  std::vector<Part> parts;
  parts.reserve(static_cast<size_t>(table.rows()));
  if (split.by.empty()) {
    for (int64_t row = 0; row < table.rows(); ++row) parts.push_back(part_of(static_cast<uint64_t>(row)));
    return parts;
  }
  const auto texts = texts_of(table, split.by);
  std::vector<Part> of_level;
  for (const std::string& level : texts->levels) of_level.push_back(part_of(fnv1a(level)));
  const Part of_missing = part_of(fnv1a(""));
  for (const uint32_t code : texts->codes)
    parts.push_back(code == missing_code ? of_missing : of_level[code]);
  return parts;
}

std::vector<Part> by_column(const Table& table, const SplitSpec& split) {
  std::map<std::string, Part> part_of;
  for (const Part part : all_parts) {
    for (const Json& value : split.values.value(part_name(part), Json::array())) {
      part_of.emplace(value.is_string() ? value.get<std::string>() : value.dump(), part);
    }
  }
  const auto texts = texts_of(table, split.column);
  std::vector<Part> parts;
  parts.reserve(texts->codes.size());
  for (const uint32_t code : texts->codes) {
    const std::string level = code == missing_code ? "" : texts->levels[code];
    const auto found = part_of.find(level);
    if (found == part_of.end()) {
      std::vector<std::string> known;
      for (const auto& [name, part] : part_of) known.push_back(name);
      value_error(table, static_cast<int64_t>(parts.size()), split.column,
                  fmt::format("\"{}\" is in no part of split.values.{}", level, suggestion(level, known)));
    }
    parts.push_back(found->second);
  }
  return parts;
}

double moment_of(const Json& value) {
  return value.is_string() ? *parse_time(value.get<std::string>()) : value.get<double>();
}

std::vector<Part> by_time(const Table& table, const SplitSpec& split) {
  const std::vector<double>& times = numbers_of(table, split.column)->values;
  const auto missing = std::find_if(times.begin(), times.end(), [](double time) { return std::isnan(time); });
  if (missing != times.end()) {
    value_error(table, missing - times.begin(), split.column,
                "the time is missing; a split by time needs it in every row");
  }
  constexpr double never = std::numeric_limits<double>::infinity();
  double validation_from = never, test_from = never;
  if (!split.from.empty()) {
    if (split.from.contains("validation")) validation_from = moment_of(split.from["validation"]);
    if (split.from.contains("test")) test_from = moment_of(split.from["test"]);
  } else {
    std::vector<double> sorted = times;
    std::sort(sorted.begin(), sorted.end());
    const Fractions ends = cumulative(split.fractions);
    const auto moment = [&](double fraction) {
      const size_t rank = static_cast<size_t>(std::llround(fraction * static_cast<double>(sorted.size())));
      return rank < sorted.size() ? sorted[rank] : never;
    };
    validation_from = moment(ends[0]);
    test_from = moment(ends[1]);
  }
  std::vector<Part> parts;
  parts.reserve(times.size());
  for (const double time : times) {
    parts.push_back(time >= test_from         ? Part::Test
                    : time >= validation_from ? Part::Validation
                                              : Part::Train);
  }
  return parts;
}

Table read_part(const Schema& schema, Part part) {
  ReadOptions options = schema.data.read_options(part);
  options.columns = schema.requests(true);
  return read_table(schema.data.files(part), options);
}

// The column of a split by time: that of the split, or the only one of role time.
SplitSpec with_time_column(const Schema& schema) {
  SplitSpec split = schema.split;
  if (split.kind != "time" || !split.column.empty()) return split;
  for (const ColumnSpec& column : schema.columns) {
    if (column.role == Role::Time) split.column = column.name;
  }
  if (split.column.empty())
    command_error("split.column: a split by time needs a column; name it or give one the role time");
  return split;
}

std::vector<int64_t> rows_where(const std::vector<Part>& parts, Part part) {
  std::vector<int64_t> rows;
  for (size_t row = 0; row < parts.size(); ++row) {
    if (parts[row] == part) rows.push_back(static_cast<int64_t>(row));
  }
  return rows;
}

Part part_named(const std::string& name) {
  return *std::find_if(std::begin(all_parts), std::end(all_parts),
                       [&](Part part) { return name == part_name(part); });
}

}  // namespace

std::vector<Part> assign_parts(const Table& table, const SplitSpec& split) {
  if (split.kind == "fraction") return by_fraction(table, split);
  if (split.kind == "column") return by_column(table, split);
  if (split.kind == "time") return by_time(table, split);
  return std::vector<Part>(static_cast<size_t>(table.rows()), part_named(split.of));
}

PartTables read_part_tables(const Schema& schema) {
  PartTables tables;
  for (const Part part : all_parts) {
    if (!schema.data.files(part).empty()) tables[static_cast<size_t>(part)] = read_part(schema, part);
  }
  return tables;
}

Parts split_parts(PartTables tables, const Schema& schema) {
  Parts handed_out;
  if (schema.split.kind != "files") {
    const SplitSpec split = with_time_column(schema);
    const Part of = part_named(split.of);
    if (!tables[static_cast<size_t>(of)])
      command_error("data.{}: no file is named, but split.of hands out its rows", split.of);
    const Table whole = std::move(*tables[static_cast<size_t>(of)]);
    tables[static_cast<size_t>(of)].reset();
    const std::vector<Part> parts = assign_parts(whole, split);
    for (const Part part : all_parts) {
      std::vector<int64_t> rows = rows_where(parts, part);
      const bool is_named = split.fractions.value(part_name(part), 0.0) > 0 ||
                            split.values.contains(part_name(part)) || split.from.contains(part_name(part));
      if (is_named && rows.empty()) {
        data_error("{}: the split gives no row to the part {}; got {} rows in all", whole.name(),
                   part_name(part), whole.rows());
      }
      if (rows.empty()) continue;
      std::optional<Table>& target = tables[static_cast<size_t>(part)];
      if (target)
        command_error("data.{}: the part has files of its own and rows of the split; drop one",
                      part_name(part));
      target = whole.select(rows);
      if (part == Part::Test) handed_out.test_rows = std::move(rows);
    }
    handed_out.split_rows = whole.rows();
  }
  if (!tables[0])
    command_error("data.train: no training file is named; give one, as data.train = \"train.csv\"");
  handed_out.train = std::move(*tables[0]);
  handed_out.validation = std::move(tables[1]);
  handed_out.test = std::move(tables[2]);
  return handed_out;
}

}  // namespace gatewise

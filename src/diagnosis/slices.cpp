#include "diagnosis/slices.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>

#include "base/error.h"
#include "table/table_files.h"

namespace gatewise {
namespace {

constexpr size_t most_kinds = 12, most_named = 8;

// The numbers that texts spell, NaN for "nan" and "inf" as they come out of programs; none where a text
// spells none.
std::vector<double> numbers_of(const std::vector<std::string>& levels) {
  std::vector<double> numbers;
  for (const std::string& level : levels) {
    double number = 0;
    const auto [end, fault] = std::from_chars(level.data(), level.data() + level.size(), number);
    if (fault != std::errc() || end != level.data() + level.size()) return {};
    numbers.push_back(std::isfinite(number) ? number : NAN);
  }
  return numbers;
}

void slice_by_quartiles(const Texts& texts, const std::vector<double>& numbers, Slices& slices) {
  const auto is_missing = [&](uint32_t code) { return code == missing_code || std::isnan(numbers[code]); };
  std::vector<double> values;
  for (const uint32_t code : texts.codes) {
    if (!is_missing(code)) values.push_back(numbers[code]);
  }
  std::sort(values.begin(), values.end());
  std::vector<double> bounds;
  for (const size_t quarter : {1U, 2U, 3U}) bounds.push_back(values[values.size() * quarter / 4]);
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  for (size_t i = 0; i <= bounds.size(); ++i) {
    slices.names.push_back(i == 0               ? fmt::format("below {}", bounds[0])
                           : i == bounds.size() ? fmt::format("from {}", bounds[i - 1])
                                                : fmt::format("{} to {}", bounds[i - 1], bounds[i]));
  }
  for (const uint32_t code : texts.codes) {
    slices.of_row.push_back(
        is_missing(code) ? -1
                         : static_cast<int>(std::upper_bound(bounds.begin(), bounds.end(), numbers[code]) -
                                            bounds.begin()));
  }
}

void slice_by_values(const Texts& texts, Slices& slices) {
  std::vector<int64_t> counts(texts.levels.size(), 0);
  for (const uint32_t code : texts.codes) {
    if (code != missing_code) ++counts[code];
  }
  std::vector<size_t> order(counts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return counts[a] > counts[b]; });
  std::vector<int> slice(counts.size(), static_cast<int>(most_named));
  for (size_t i = 0; i < order.size(); ++i) {
    if (order.size() > most_kinds && i >= most_named) break;
    slice[order[i]] = static_cast<int>(i);
    slices.names.push_back(texts.levels[order[i]]);
  }
  if (order.size() > most_kinds) slices.names.emplace_back("(others)");
  for (const uint32_t code : texts.codes) slices.of_row.push_back(code == missing_code ? -1 : slice[code]);
}

// Rows of no slice so far become one.
void add_missing(Slices& slices) {
  if (std::find(slices.of_row.begin(), slices.of_row.end(), -1) == slices.of_row.end()) return;
  std::replace(slices.of_row.begin(), slices.of_row.end(), -1, static_cast<int>(slices.names.size()));
  slices.names.emplace_back("(missing)");
}

}  // namespace

ColumnRequest slice_request(const Schema& schema, const std::string& column) {
  ColumnRequest request{column, ColumnType::Text, {}};
  const ColumnSpec* spec = schema.find_column(column);
  if (spec != nullptr && !spec->null.is_null()) request.null = spec->null.get<std::vector<std::string>>();
  return request;
}

Slices load_slices(const LoadedModel& model, const ScoringSource& source, const Overrides& overrides,
                   const std::string& column) {
  Json data{{"data", write_options(model.encoder->schema().data)}};
  overrides.apply(data, "data");
  const DataSpec spec = Schema::from_json(data).data;
  const Part part = *std::find_if(std::begin(all_parts), std::end(all_parts),
                                  [&](Part candidate) { return source.part == part_name(candidate); });
  ReadOptions options = spec.read_options(part);
  options.columns = {slice_request(model.encoder->schema(), column)};
  return make_slices(read_table(source.files, options), column);
}

Slices make_slices(const Table& table, const std::string& column) {
  const auto& texts = std::get<Texts>(table.column(column).data);
  Slices slices;
  slices.column = column;
  const std::vector<double> numbers = numbers_of(texts.levels);
  const auto kinds = std::count_if(numbers.begin(), numbers.end(), [](double x) { return !std::isnan(x); });
  if (kinds > static_cast<int64_t>(most_kinds)) {
    slice_by_quartiles(texts, numbers, slices);
  } else {
    slice_by_values(texts, slices);
  }
  add_missing(slices);
  return slices;
}

Slices select_slices(const Slices& slices, const std::vector<int64_t>& rows) {
  Slices chosen{slices.column, slices.names, {}};
  for (const int64_t row : rows) chosen.of_row.push_back(slices.of_row[row]);
  return chosen;
}

Json gate_by_slices(const WatchedGate& gate, const Slices& slices) {
  const int64_t experts = gate.experts();
  std::vector<int64_t> counts(slices.names.size(), 0);
  std::vector<std::vector<double>> sums(slices.names.size(), std::vector<double>(experts, 0));
  for (size_t i = 0; i < gate.rows.size(); ++i) {
    const int slice = slices.of_row[gate.rows[i]];
    ++counts[slice];
    for (int64_t expert = 0; expert < experts; ++expert)
      sums[slice][expert] += gate.weights[static_cast<int64_t>(i) * experts + expert];
  }
  Json found = Json::array();
  for (size_t slice = 0; slice < counts.size(); ++slice) {
    if (counts[slice] == 0) continue;
    for (double& sum : sums[slice]) sum /= static_cast<double>(counts[slice]);
    found.push_back({{"slice", slices.names[slice]}, {"rows", counts[slice]}, {"weights", sums[slice]}});
  }
  return found;
}

}  // namespace gatewise

// Typed columns in memory. Rows are counted from 0.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace gatewise {

// How a column is read. Time is read into Numbers: as it stands, or a date as seconds since 1970.
enum class ColumnType { Number, Id, Text, Time, IdList, NumberList, TextList };

// "number", "id", "text", "time", "list of ids", "list of numbers", "list of texts".
const char* type_name(ColumnType type);

// NaN is missing.
struct Numbers {
  std::vector<double> values;
  bool are_times = false;  // read as Time
};

struct IdValues {
  std::vector<uint64_t> values;
  std::vector<uint8_t> present;  // per row 0 or 1; empty when every row is present

  bool is_present(int64_t row) const { return present.empty() || present[row] != 0; }
};

inline constexpr uint32_t missing_code = 0xffffffffu;

// Each row holds the number of its text in `levels`, or missing_code.
struct Texts {
  std::vector<uint32_t> codes;
  std::vector<std::string> levels;
};

// The values of row r are those from offsets[r] to offsets[r + 1]; a missing list is an empty one.
struct IdLists {
  std::vector<int64_t> offsets{0};
  std::vector<uint64_t> ids;
};

struct NumberLists {
  std::vector<int64_t> offsets{0};
  std::vector<double> values;
};

struct TextLists {
  std::vector<int64_t> offsets{0};
  std::vector<uint32_t> codes;
  std::vector<std::string> levels;
};

struct Column {
  std::string name;
  std::variant<Numbers, IdValues, Texts, IdLists, NumberLists, TextLists> data;

  int64_t rows() const;
  // What it holds; Numbers report Number.
  ColumnType type() const;
  // The given rows in the given order; levels are kept as they are.
  Column select(const std::vector<int64_t>& rows) const;
};

}  // namespace gatewise

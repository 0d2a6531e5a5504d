// The parts of a data set: read from files and, where the configuration says so, split.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "features/schema.h"

namespace gatewise {

struct Parts {
  Table train;
  std::optional<Table> validation;
  std::optional<Table> test;
  // Where the split hands out test rows: which of its rows they are, of how many. Empty: test has files of
  // its own, or there is none.
  std::vector<int64_t> test_rows;
  int64_t split_rows = 0;
};

// The part of each row of `table`, which has the columns the split names. `fraction` puts row r where
// mix64(r ^ mix64(seed)), read as a number from 0 to 1, falls among the fractions in the order train,
// validation, test; with `by`, the hash of the column's text stands for r. `time` sorts rows by time and cuts
// by fractions, equal times staying together, or cuts at the moments of `from`. Throws Error(Data) for a
// value of `column` that no part lists and for a missing time.
std::vector<Part> assign_parts(const Table& table, const SplitSpec& split);

// The files of every part, read but not yet split; by Part.
using PartTables = std::array<std::optional<Table>, 3>;
PartTables read_part_tables(const Schema& schema);

// Splits what the files hold as configured. Throws Error(Command) when no training file is named or a part
// comes both from files and from the split, Error(Data) when a part would be empty.
Parts split_parts(PartTables tables, const Schema& schema);

inline Parts load_parts(const Schema& schema) { return split_parts(read_part_tables(schema), schema); }

}  // namespace gatewise

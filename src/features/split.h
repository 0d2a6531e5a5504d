// The parts of a data set: read from files and, where the configuration says so, split.
#pragma once

#include <optional>
#include <vector>

#include "features/schema.h"

namespace gatewise {

struct Parts {
  Table train;
  std::optional<Table> validation;
  std::optional<Table> test;
};

// The part of each row of `table`, which has the columns the split names. `fraction` puts row r where
// mix64(r ^ mix64(seed)), read as a number from 0 to 1, falls among the fractions in the order train,
// validation, test; with `by`, the hash of the column's text stands for r. `time` sorts rows by time and cuts
// by fractions, equal times staying together, or cuts at the moments of `from`. Throws Error(Data) for a
// value of `column` that no part lists and for a missing time.
std::vector<Part> assign_parts(const Table& table, const SplitSpec& split);

// Reads the files of every part that has some and splits as configured. Throws Error(Command) when no
// training file is named or a part comes both from files and from the split, Error(Data) when a part would be
// empty.
Parts load_parts(const Schema& schema);

}  // namespace gatewise

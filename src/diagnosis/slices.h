// Gate weights by slices of a column.
#pragma once

#include "configuration/scoring_rows.h"
#include "diagnosis/watch.h"

namespace gatewise {

// Names of slices and the slice of every row.
struct Slices {
  std::string column;
  std::vector<std::string> names;
  std::vector<int> of_row;
};

// How a column is read to slice by it: as text, with the null tokens that the schema gives it.
ColumnRequest slice_request(const Schema& schema, const std::string& column);

// Slices of a table's rows by a column of texts: finite numbers of more than 12 kinds by quartiles, others by
// their 8 most frequent values and the rest together. Rows without a value ("nan" among numbers is none) are
// the slice "(missing)". Throws Error(Data) for a column that is not there.
Slices make_slices(const Table& table, const std::string& column);

// The same of files' rows by any column of theirs.
Slices load_slices(const LoadedModel& model, const ScoringSource& source, const Overrides& overrides,
                   const std::string& column);

// The slices of some of the rows, in their order.
Slices select_slices(const Slices& slices, const std::vector<int64_t>& rows);

// [{slice, rows, weights: [mean by expert seen]}] of one gate.
Json gate_by_slices(const WatchedGate& gate, const Slices& slices);

}  // namespace gatewise

// Columns in Arrow's layout, wherever they come from, into columns of a table. Values are converted as they
// are added; that is the only copy.
#pragma once

#include "table/arrow_types.h"
#include "table/column_builder.h"

namespace gatewise {

// A column of one chunk: an array and the schema that describes it. Both outlive the view. `offset` is that
// of the array's parent, for it counts for its children too.
struct ArrowView {
  const ArrowSchema& schema;
  const ArrowArray& array;
  int64_t offset = 0;
};

// The type a column is read as when nothing else is asked for. Integers and truth values are text to files,
// where a number may be a code; with `has_numbers` they are numbers.
ColumnType natural_type(const ArrowSchema& schema, bool has_numbers);

// Adds `count` values from `first` on in the builder's type: numbers, ids, times and truth values as they are
// or as the text they print; texts like a field of a file (trimmed, compared with the null tokens, parsed);
// dictionaries as their values; lists item by item. What is null is missing. Throws FieldFault for a value or
// a type that cannot be what the builder wants; the builder's rows() then tell which.
void append_arrow(const ArrowView& view, int64_t first, int64_t count, ColumnBuilder& builder);

}  // namespace gatewise

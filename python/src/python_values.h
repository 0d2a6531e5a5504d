// Single Python objects, and sequences of them, as values of columns.
#pragma once

#include <nanobind/nanobind.h>

#include "table/column_builder.h"

namespace gatewise {

// None, NaN, and what pandas puts for a missing value or time.
bool is_missing(nanobind::handle value);
bool is_whole(nanobind::handle value);
bool is_number(nanobind::handle value);
bool is_sequence(nanobind::handle value);

// Throws FieldFault.
[[noreturn]] void refuse(nanobind::handle value, ColumnType wanted);

// One row of the builder's type, which is none of lists unless the value is a text. Throws FieldFault.
void append_value(nanobind::handle value, ColumnBuilder& builder);
// One row of a builder of lists. Throws FieldFault.
void append_list(nanobind::handle list, ColumnBuilder& builder);

}  // namespace gatewise

// Rows that each name a slice of an operand by an id.
#pragma once

#include "graph/op.h"

namespace gatewise {

// visit(begin, end, slice) for every run of neighbouring rows of the tile that name the same of `slices`.
template <class T, class Visit>
void each_slice_run(const Call<T>& call, int64_t slices, const Visit& visit) {
  const Ids& ids = *call.ids;
  for (int64_t begin = 0, end = 0; begin < call.rows; begin = end) {
    const uint32_t slice = ids.ids[begin * ids.stride];
    if (slice >= slices) internal_error("row {} names slice {} of {}", call.first_row + begin, slice, slices);
    for (end = begin + 1; end < call.rows && ids.ids[end * ids.stride] == slice;) ++end;
    visit(begin, end, static_cast<int64_t>(slice));
  }
}

}  // namespace gatewise

// Rows that follow each other without a gap are one long row: no remainder at the end of each.
#pragma once

#include <cstdint>

namespace gatewise::kernels {

template <class... Strides>
void join_rows(int64_t& rows, int64_t& width, Strides... strides) {
  if (!((strides == width) && ...)) return;
  width *= rows;
  rows = width > 0 ? 1 : 0;
}

}  // namespace gatewise::kernels

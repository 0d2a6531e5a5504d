// The pooling of bags of ids, shared by the look-up and its gradient.
#pragma once

#include "graph/op.h"

namespace gatewise {

// What each entry of a row's bag is multiplied with besides its own weight. Mean pooling divides by the sum
// of the weights; an empty bag gives zeros.
inline double bag_scale(const Ids& ids, int64_t row, bool is_mean) {
  if (!is_mean) return 1;
  double total = 0;
  for (int64_t i = ids.offsets[row]; i < ids.offsets[row + 1]; ++i)
    total += ids.weights == nullptr ? 1 : ids.weights[i];
  return total == 0 ? 0 : 1 / total;
}

}  // namespace gatewise

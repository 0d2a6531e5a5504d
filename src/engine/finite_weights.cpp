#include "engine/finite_weights.h"

#include <algorithm>
#include <cmath>

namespace gatewise {

std::optional<NotFinite> find_not_finite(const Store<float>& store) {
  for (const PathBlock& block : store.layout().blocks) {
    const float* begin =
        block.place < 0 ? store.states().data() : store.at(store.layout().places[block.place]);
    for (int64_t row = 0; row < block.rows; ++row) {
      const float* values = begin + block.offset + row * block.row_stride;
      const float* found =
          std::find_if(values, values + block.columns, [](float value) { return !std::isfinite(value); });
      if (found != values + block.columns) return NotFinite{block.path, *found};
    }
  }
  return std::nullopt;
}

}  // namespace gatewise

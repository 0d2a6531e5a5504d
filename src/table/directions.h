// Random directions that made-up functions look along.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"

namespace gatewise {

// `count` orthonormal vectors of `dimension` elements, count at most dimension, from the normals (0,
// first_row
// + v, i) of the stream.
std::vector<std::vector<double>> orthonormal(const RandomStream& stream, int64_t count, int64_t dimension,
                                             uint64_t first_row = 0);

}  // namespace gatewise

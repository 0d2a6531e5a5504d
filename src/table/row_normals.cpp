#include "table/row_normals.h"

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "kernels/sampling.h"

namespace gatewise {

// Every row owns the same number of blocks of four normals; when four divides the width, rows lie side by
// side.
void row_normals(uint64_t seed, std::string_view path, uint64_t step, int64_t first_row, int64_t rows,
                 int64_t width, float* out) {
  const uint64_t mixed = mix64(seed ^ mix64(fnv1a(path)));
  const std::array<uint32_t, 2> key{static_cast<uint32_t>(mixed), static_cast<uint32_t>(mixed >> 32)};
  const int64_t blocks = (width + 3) / 4;
  const uint64_t first_block = static_cast<uint64_t>(first_row) * blocks;
  if (width % 4 == 0) return kernels::standard_normals(key, step, first_block, rows * blocks, out);
  std::vector<float> padded(static_cast<size_t>(rows * blocks * 4));
  kernels::standard_normals(key, step, first_block, rows * blocks, padded.data());
  for (int64_t row = 0; row < rows; ++row) std::copy_n(&padded[row * blocks * 4], width, out + row * width);
}

}  // namespace gatewise

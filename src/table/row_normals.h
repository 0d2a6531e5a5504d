// Standard normals of the rows of synthetic tables.
#pragma once

#include <cstdint>
#include <string_view>

namespace gatewise {

// out [rows, width]: rows first_row .. first_row + rows - 1 of `step`, in the stream that (seed, path) name.
// A row's values do not depend on which rows are asked for beside it.
void row_normals(uint64_t seed, std::string_view path, uint64_t step, int64_t first_row, int64_t rows,
                 int64_t width, float* out);

}  // namespace gatewise

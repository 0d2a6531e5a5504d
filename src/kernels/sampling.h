// Random normals in bulk and the sums of sines that synthetic tables are made of. Vectorised and dispatched
// at run time; results on different instruction sets agree to float rounding, on one they are the same bits.
#pragma once

#include <array>
#include <cstdint>

namespace gatewise::kernels {

// Standard normals (Philox4x32-10 words turned by Box-Muller in float, |z| < 6.7), four for each block, a
// block being one counter: out[4 * i + j] is the j-th normal of counter {first_block + i, counter_high} under
// `key`. A block's values never depend on which blocks are asked for beside it.
void standard_normals(std::array<uint32_t, 2> key, uint64_t counter_high, uint64_t first_block,
                      int64_t blocks, float* out);

// scores[row, v] = sum over i of x[row, i] * vectors[v, i]; x [rows, width], vectors [count, width].
void row_scores(int64_t rows, int64_t width, int64_t count, const float* x, const float* vectors,
                float* scores);

// y[i] = z[i] + sum over j of sin(rate[j] * z[i] + phase[j]), for |rate[j] * z[i] + phase[j]| below 30,000. y
// may be z.
void add_sines(int64_t count, int64_t terms, const float* rate, const float* phase, const float* z, float* y);

}  // namespace gatewise::kernels

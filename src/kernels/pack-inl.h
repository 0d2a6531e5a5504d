// The right factor of a product laid out in panels, compiled once per target.
#include "kernels/vector-inl.h"

#if defined(GATEWISE_KERNELS_PACK_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GATEWISE_KERNELS_PACK_INL
#undef GATEWISE_KERNELS_PACK_INL
#else
#define GATEWISE_KERNELS_PACK_INL
#endif

HWY_BEFORE_NAMESPACE();
namespace gatewise::kernels {
namespace HWY_NAMESPACE {

constexpr int64_t kPanel = 2 * lanes<Wide>;

// Into panels, row by row, as memory is read ahead.
inline void pack_float(int64_t depth, int64_t columns, const float* b, int64_t b_stride, float* to) {
  for (int64_t k = 0; k < depth; ++k) {
    const float* from = b + k * b_stride;
    int64_t column = 0;
    for (; column + kPanel <= columns; column += kPanel) {
      float* into = to + column * depth + k * kPanel;
      const Wide d;
      hn::StoreU(hn::LoadU(d, from + column), d, into);
      hn::StoreU(hn::LoadU(d, from + column + lanes<Wide>), d, into + lanes<Wide>);
    }
    const int64_t width = columns - column;
    for (int64_t j = 0; j < width; ++j) to[column * depth + k * width + j] = from[column + j];
  }
}

// Four by four elements turned over; `b` and `to` are the corners of their places.
HWY_INLINE void transpose_four(const float* b, int64_t b_stride, float* to, int64_t to_stride) {
#if HWY_TARGET == HWY_SCALAR
  for (int64_t i = 0; i < 4; ++i) {
    for (int64_t j = 0; j < 4; ++j) to[j * to_stride + i] = b[i * b_stride + j];
  }
#else
  const hn::FixedTag<float, 4> d;
  const auto b0 = hn::LoadU(d, b), b1 = hn::LoadU(d, b + b_stride);
  const auto b2 = hn::LoadU(d, b + 2 * b_stride), b3 = hn::LoadU(d, b + 3 * b_stride);
  const auto low_even = hn::InterleaveLower(d, b0, b2), low_odd = hn::InterleaveLower(d, b1, b3);
  const auto high_even = hn::InterleaveUpper(d, b0, b2), high_odd = hn::InterleaveUpper(d, b1, b3);
  hn::StoreU(hn::InterleaveLower(d, low_even, low_odd), d, to);
  hn::StoreU(hn::InterleaveUpper(d, low_even, low_odd), d, to + to_stride);
  hn::StoreU(hn::InterleaveLower(d, high_even, high_odd), d, to + 2 * to_stride);
  hn::StoreU(hn::InterleaveUpper(d, high_even, high_odd), d, to + 3 * to_stride);
#endif
}

inline void pack_transposed_float(int64_t depth, int64_t columns, const float* b, int64_t b_stride,
                                  float* to) {
  for (int64_t column = 0; column < columns; column += kPanel) {
    const int64_t width = HWY_MIN(kPanel, columns - column);
    float* panel = to + column * depth;
    int64_t j = 0;
    for (; j + 4 <= width; j += 4) {
      const float* from = b + (column + j) * b_stride;
      int64_t k = 0;
      for (; k + 4 <= depth; k += 4) transpose_four(from + k, b_stride, panel + k * width + j, width);
      for (; k < depth; ++k) {
        for (int64_t i = 0; i < 4; ++i) panel[k * width + j + i] = from[i * b_stride + k];
      }
    }
    for (; j < width; ++j) {
      for (int64_t k = 0; k < depth; ++k) panel[k * width + j] = b[(column + j) * b_stride + k];
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#endif

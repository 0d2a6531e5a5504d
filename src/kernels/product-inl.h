// The register block that all products are made of, compiled once per target.
#include "kernels/vector-inl.h"

#if defined(GATEWISE_KERNELS_PRODUCT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GATEWISE_KERNELS_PRODUCT_INL
#undef GATEWISE_KERNELS_PRODUCT_INL
#else
#define GATEWISE_KERNELS_PRODUCT_INL
#endif

HWY_BEFORE_NAMESPACE();
namespace gatewise::kernels {
namespace HWY_NAMESPACE {

// c = start + a b for a block of c whose width the kernel knows. Element (i, k) of a is a[i * a_row + k *
// a_depth], so the same kernel serves a and its transpose. `start` is the bias (start_row 0), c itself, or
// zeros.
struct Block {
  int64_t depth;
  const float* a;
  int64_t a_row, a_depth;
  const float* b;
  int64_t b_row;
  const float* start;
  int64_t start_row;
  float* c;
  int64_t c_row;
  bool relu;
};

// kRows x kVectors accumulators stay in registers over the whole depth: the unrolled loops have constant
// bounds.
template <int kRows, int kVectors, class D>
HWY_INLINE void multiply_block(D d, const Block& p) {
  hn::Vec<D> sums[kRows][kVectors];
  HWY_UNROLL(16)
  for (int i = 0; i < kRows; ++i) {
    HWY_UNROLL(4)
    for (int j = 0; j < kVectors; ++j) sums[i][j] = hn::LoadU(d, p.start + i * p.start_row + j * lanes<D>);
  }
  const float* HWY_RESTRICT a = p.a;
  const float* HWY_RESTRICT b = p.b;
  const int64_t a_row = p.a_row, a_depth = p.a_depth, b_row = p.b_row;
  HWY_UNROLL(1)
  for (int64_t k = p.depth; k > 0; --k) {
    hn::Vec<D> right[kVectors];
    HWY_UNROLL(4)
    for (int j = 0; j < kVectors; ++j) right[j] = hn::LoadU(d, b + j * lanes<D>);
    HWY_UNROLL(16)
    for (int i = 0; i < kRows; ++i) {
      const hn::Vec<D> left = hn::Set(d, a[i * a_row]);
      HWY_UNROLL(4)
      for (int j = 0; j < kVectors; ++j) sums[i][j] = hn::MulAdd(left, right[j], sums[i][j]);
    }
    a += a_depth;
    b += b_row;
  }
  if (p.relu) {
    HWY_UNROLL(16)
    for (int i = 0; i < kRows; ++i) {
      HWY_UNROLL(4)
      for (int j = 0; j < kVectors; ++j) {
        sums[i][j] = hn::IfThenZeroElse(hn::Lt(sums[i][j], hn::Zero(d)), sums[i][j]);
      }
    }
  }
  HWY_UNROLL(16)
  for (int i = 0; i < kRows; ++i) {
    HWY_UNROLL(4)
    for (int j = 0; j < kVectors; ++j) hn::StoreU(sums[i][j], d, p.c + i * p.c_row + j * lanes<D>);
  }
}

// `count` blocks of kRows rows, one below the other; moves the block on.
template <int kRows, int kVectors, class D>
HWY_NOINLINE void sweep(D d, int64_t count, Block& p) {
  for (; count > 0; --count) {
    multiply_block<kRows, kVectors>(d, p);
    p.a += kRows * p.a_row;
    p.start += kRows * p.start_row;
    p.c += kRows * p.c_row;
  }
}

template <int kRows, int kVectors, class D>
HWY_INLINE void sweep_rows_of(D d, int64_t block_rows, int64_t count, Block& p) {
  if (block_rows == kRows) return sweep<kRows, kVectors>(d, count, p);
  if constexpr (kRows > 1) sweep_rows_of<kRows - 1, kVectors>(d, block_rows, count, p);
}

// All `rows` rows in blocks of at most kMost, as even as can be: a short last block would keep the arithmetic
// waiting.
template <int kMost, int kVectors, class D>
HWY_INLINE void multiply_rows(D d, int64_t rows, Block p) {
  if (rows <= 0) return;
  const int64_t blocks = (rows + kMost - 1) / kMost, block_rows = rows / blocks, larger = rows % blocks;
  if (larger > 0) sweep_rows_of<kMost, kVectors>(d, block_rows + 1, larger, p);
  sweep_rows_of<kMost, kVectors>(d, block_rows, blocks - larger, p);
}

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#endif

// A product with one column, compiled once per target: every row is a dot product.
#include "kernels/matmul.h"
#include "kernels/vector-inl.h"

#if defined(GATEWISE_KERNELS_SINGLE_COLUMN_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GATEWISE_KERNELS_SINGLE_COLUMN_INL
#undef GATEWISE_KERNELS_SINGLE_COLUMN_INL
#else
#define GATEWISE_KERNELS_SINGLE_COLUMN_INL
#endif

HWY_BEFORE_NAMESPACE();
namespace gatewise::kernels {
namespace HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR

// kRows (at most 4) dot products with the contiguous column b. The order of each: one chain per lane over
// every lanes-th element, the tree of four_sums, the elements that remain, the start.
template <int kRows>
HWY_INLINE void multiply_single_column(const Product<float>& p, const float* b, int64_t row) {
  const Short d;
  const float* a = p.a + row * p.a_stride;
  hn::Vec<Short> sums[4];
  HWY_UNROLL(4)
  for (int i = 0; i < 4; ++i) sums[i] = hn::Zero(d);
  int64_t k = 0;
  for (; k + lanes<Short> <= p.depth; k += lanes<Short>) {
    const auto right = hn::LoadU(d, b + k);
    HWY_UNROLL(4)
    for (int i = 0; i < kRows; ++i)
      sums[i] = hn::MulAdd(hn::LoadU(d, a + i * p.a_stride + k), right, sums[i]);
  }
  const hn::CappedTag<float, 1> one;
  alignas(16) float totals[4];
  hn::Store(four_sums(d, sums), hn::CappedTag<float, 4>(), totals);
  for (int i = 0; i < kRows; ++i) {
    auto total = hn::LoadU(one, totals + i);
    for (int64_t rest = k; rest < p.depth; ++rest) {
      total = hn::MulAdd(hn::LoadU(one, a + i * p.a_stride + rest), hn::LoadU(one, b + rest), total);
    }
    float* c = p.c + (row + i) * p.c_stride;
    if (p.accumulate) {
      total = hn::Add(total, hn::LoadU(one, c));
    } else if (p.bias) {
      total = hn::Add(total, hn::LoadU(one, p.bias));
    }
    if (p.activation == Activation::Relu) total = hn::IfThenZeroElse(hn::Lt(total, hn::Zero(one)), total);
    hn::StoreU(total, one, c);
  }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#endif

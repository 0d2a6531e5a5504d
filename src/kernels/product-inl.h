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
// a_depth], so the same kernel serves a and its transpose; or a is packed by pack_left. `start` is the bias
// (start_row 0), c itself, or zeros. Column j of b lies in panel j / (2 * lanes); b_panel leads from one to
// the next.
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
  bool relu = false;
  bool is_left_packed = false;
  int64_t b_panel = 0;
  // Whether c or b come from beyond the second cache; then memory is called for ahead of time: the block of c
  // below, and what will be read of b next, ahead_lines of it with every row of c.
  bool is_far = false;
  const float* ahead = nullptr;
  int64_t ahead_lines = 0;
};

// The first elements of a vector, for columns that do not fill it: what lies beyond is neither read nor
// written.
template <class D>
struct FirstOf {
  hn::Mask<D> mask;
  FirstOf(D d, int64_t count) : mask(hn::FirstN(d, static_cast<size_t>(count))) {}
};

template <class D>
struct TagOf {
  using type = D;
};
template <class D>
struct TagOf<FirstOf<D>> {
  using type = D;
};

template <class D>
HWY_INLINE hn::Vec<D> load_from(D d, const float* from) {
  return hn::LoadU(d, from);
}
template <class D>
HWY_INLINE hn::Vec<D> load_from(FirstOf<D> first, const float* from) {
  return hn::MaskedLoad(first.mask, D(), from);
}
template <class D>
HWY_INLINE void store_to(D d, hn::Vec<D> v, float* to) {
  hn::StoreU(v, d, to);
}
template <class D>
HWY_INLINE void store_to(FirstOf<D> first, hn::Vec<D> v, float* to) {
  hn::BlendedStore(v, first.mask, D(), to);
}

// One step of the depth for all accumulators.
template <int kRows, int kVectors, class Columns, class V>
HWY_INLINE void add_step(Columns columns, const float* a, int64_t a_row, const float* b, int64_t b_panel,
                         V (&sums)[kRows][kVectors]) {
  using D = typename TagOf<Columns>::type;
  V right[kVectors];
  HWY_UNROLL(8)
  for (int j = 0; j < kVectors; ++j) right[j] = load_from(columns, b + j / 2 * b_panel + j % 2 * lanes<D>);
  HWY_UNROLL(16)
  for (int i = 0; i < kRows; ++i) {
    const V left = hn::Set(D(), a[i * a_row]);
    HWY_UNROLL(8)
    for (int j = 0; j < kVectors; ++j) sums[i][j] = hn::MulAdd(left, right[j], sums[i][j]);
  }
}

// Calls for row i of the block of c below and for some lines of b.
template <int kVectors, class D>
HWY_INLINE void call_ahead(D, const float* c, const float*& ahead, int64_t lines) {
  HWY_UNROLL(8)
  for (int j = 0; j < kVectors; ++j) __builtin_prefetch(c + j * lanes<D>, 1);
  for (; lines > 0; --lines, ahead += 16) __builtin_prefetch(ahead, 0, 2);  // the first cache is full of b
}

// kRows x kVectors accumulators stay in registers over the whole depth: the unrolled loops have constant
// bounds. With kIsFar the depth is walked in kRows parts, and before each part memory is called for that is
// needed after the block: a few lines at a time, for as many at once would leave no room in the processor's
// queue for what is needed now.
template <int kRows, int kVectors, bool kIsFar = false, class Columns>
HWY_INLINE void multiply_block(Columns columns, const Block& p) {
  using D = typename TagOf<Columns>::type;
  const D d;
  hn::Vec<D> sums[kRows][kVectors];
  HWY_UNROLL(16)
  for (int i = 0; i < kRows; ++i) {
    HWY_UNROLL(8)
    for (int j = 0; j < kVectors; ++j)
      sums[i][j] = load_from(columns, p.start + i * p.start_row + j * lanes<D>);
  }
  const float* HWY_RESTRICT a = p.a;
  const float* HWY_RESTRICT b = p.b;
  const int64_t a_row = p.is_left_packed ? 1 : p.a_row, a_depth = p.is_left_packed ? kRows : p.a_depth;
  const int64_t b_row = p.b_row, b_panel = p.b_panel;
  int64_t k = p.depth;
  if constexpr (kIsFar) {
    const float* below = p.c + kRows * p.c_row;
    const float* ahead = p.ahead;
    const int64_t part = p.depth / kRows;
    HWY_UNROLL(1)
    for (int i = 0; i < kRows; ++i, below += p.c_row) {
      call_ahead<kVectors>(d, below, ahead, p.ahead_lines);
      HWY_UNROLL(1)
      for (int64_t left = part; left > 0; --left, a += a_depth, b += b_row)
        add_step<kRows, kVectors>(columns, a, a_row, b, b_panel, sums);
    }
    k -= part * kRows;
  }
  HWY_UNROLL(1)
  for (; k > 0; --k, a += a_depth, b += b_row) add_step<kRows, kVectors>(columns, a, a_row, b, b_panel, sums);
  if (p.relu) {
    HWY_UNROLL(16)
    for (int i = 0; i < kRows; ++i) {
      HWY_UNROLL(8)
      for (int j = 0; j < kVectors; ++j) {
        sums[i][j] = hn::IfThenZeroElse(hn::Lt(sums[i][j], hn::Zero(d)), sums[i][j]);
      }
    }
  }
  HWY_UNROLL(16)
  for (int i = 0; i < kRows; ++i) {
    HWY_UNROLL(8)
    for (int j = 0; j < kVectors; ++j) store_to(columns, sums[i][j], p.c + i * p.c_row + j * lanes<D>);
  }
}

// `rows` rows in blocks of at most `most`, as even as can be (a short last block would keep the arithmetic
// waiting): first `larger` blocks of size + 1, then `count - larger` of size.
struct Division {
  int64_t count, size, larger;
  Division(int64_t rows, int64_t most)
      : count((rows + most - 1) / most), size(rows / count), larger(rows % count) {}
};

template <int kRows>
HWY_INLINE void advance(Block& p) {
  p.a += kRows * (p.is_left_packed ? p.depth : p.a_row);
  p.start += kRows * p.start_row;
  p.c += kRows * p.c_row;
}

// `count` blocks of kRows rows, one below the other; moves the block on.
template <int kRows, int kVectors, class Columns>
HWY_NOINLINE void sweep(Columns columns, int64_t count, Block& p) {
  using D = typename TagOf<Columns>::type;
  for (; count > 0; --count) {
    if (p.is_far) {
      multiply_block<kRows, kVectors, true>(columns, p);
      p.ahead += p.ahead_lines * kRows * 16;
    } else {
      if (count > 1) {
        HWY_UNROLL(16)
        for (int i = 0; i < kRows; ++i) {
          HWY_UNROLL(8)
          for (int j = 0; j < kVectors; ++j)
            __builtin_prefetch(p.c + (kRows + i) * p.c_row + j * lanes<D>, 1);
        }
      }
      multiply_block<kRows, kVectors>(columns, p);
    }
    advance<kRows>(p);
  }
}

template <int kRows, int kVectors, class Columns>
HWY_INLINE void sweep_rows_of(Columns columns, int64_t block_rows, int64_t count, Block& p) {
  if (block_rows == kRows) return sweep<kRows, kVectors>(columns, count, p);
  if constexpr (kRows > 1) sweep_rows_of<kRows - 1, kVectors>(columns, block_rows, count, p);
}

template <int kMost, int kVectors, class Columns>
HWY_INLINE void multiply_rows(Columns columns, int64_t rows, Block p) {
  if (rows <= 0) return;
  const Division blocks(rows, kMost);
  if (blocks.larger > 0) sweep_rows_of<kMost, kVectors>(columns, blocks.size + 1, blocks.larger, p);
  sweep_rows_of<kMost, kVectors>(columns, blocks.size, blocks.count - blocks.larger, p);
}

// At most kMost elements, in one vector where that holds them.
template <int kMost>
struct Copy {
  static constexpr bool kIsVector = lanes<Wide> >= kMost;
  int64_t count;
  FirstOf<Wide> first;
  explicit Copy(int64_t n) : count(n), first(Wide(), kIsVector ? n : 0) {}
  HWY_INLINE void operator()(const float* from, float* to) const {
    if constexpr (kIsVector) {
      store_to(first, load_from(first, from), to);
    } else {
      for (int64_t i = 0; i < count; ++i) to[i] = from[i];
    }
  }
};

// Columns [0, rows) of a [depth, ...] as the blocks that multiply_rows<kMost> walks through: each [depth,
// block rows].
template <int kMost>
HWY_INLINE void pack_left(int64_t rows, int64_t depth, const float* a, int64_t a_stride, float* to) {
  const Division blocks(rows, kMost);
  const auto pack = [&](int64_t size, int64_t count) HWY_ATTR {
    const Copy<kMost> copy(size);
    for (int64_t k = 0; k < depth; ++k) {
      for (int64_t block = 0; block < count; ++block) {
        copy(a + k * a_stride + block * size, to + (block * depth + k) * size);
      }
    }
    a += count * size;
    to += count * size * depth;
  };
  if (blocks.larger > 0) pack(blocks.size + 1, blocks.larger);
  pack(blocks.size, blocks.count - blocks.larger);
}

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#endif

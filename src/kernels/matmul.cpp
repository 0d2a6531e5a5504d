#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matmul.cpp"
// clang-format off
#include "kernels/targets.h"
#include <hwy/foreach_target.h>
// clang-format on

#include "kernels/matmul.h"

#include "base/error.h"
#include "kernels/pack-inl.h"
#include "kernels/product-inl.h"
#include "kernels/reference.h"
#include "kernels/single_column-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gatewise::kernels {
namespace HWY_NAMESPACE {

// Accumulators: 12 of 16 registers, 24 of 32.
constexpr int kRows = lanes<Wide> == 16 ? 12 : 6;
constexpr int kNarrowRows = lanes<Wide> == 16 ? 12 : 8;
// A block of the depth that keeps a panel of b in the first cache, and of rows that keeps a's part in the
// second.
constexpr int64_t kDepthBlock = 256;
constexpr int64_t kRowBlock = 132;
// A block of the depth over which a column of c stays in the second cache, and elements of a that do so.
constexpr int64_t kDeepBlock = 4 * kDepthBlock;
constexpr int64_t kLeftBlock = 160 * 1024;
// Elements of a factor or a result beyond which it does not stay in the second cache.
constexpr int64_t kFar = 128 * 1024;
// Columns of b that are copied at a time, so that the copy is still in the second cache when it is used.
constexpr int64_t kColumnBlock = 4 * kPanel;

alignas(64) constexpr float zeros[4 * kPanel] = {};

HWY_INLINE Block shifted(Block p, int64_t columns) {
  p.b += columns;
  p.start += columns;
  p.c += columns;
  return p;
}

// Loads and stores of part of a vector cost no more than whole ones.
constexpr bool kPartsAreFree = lanes<Wide> == 16 && HWY_TARGET <= HWY_AVX3;

template <class Columns>
HWY_INLINE void multiply_vector(Columns columns, int64_t rows, const Block& p) {
  if (p.is_left_packed) {
    multiply_rows<kRows, 1>(columns, rows, p);
  } else {
    multiply_rows<kNarrowRows, 1>(columns, rows, p);
  }
}

// Columns that do not fill a panel: one vector if there is one, then part of one, or ever narrower vectors.
void multiply_narrow(int64_t rows, int64_t columns, const Block& p) {
  if constexpr (kPartsAreFree) {
    const int64_t first = columns / lanes<Wide> * lanes<Wide>, rest = columns - first;
    if ((rest & (rest - 1)) != 0) {  // as narrower vectors it would be several
      if (first > 0) multiply_vector(Wide(), rows, p);
      return multiply_vector(FirstOf<Wide>(Wide(), rest), rows, shifted(p, first));
    }
  }
  over(Wide(), columns, [&](auto d, int64_t first) HWY_ATTR { multiply_vector(d, rows, shifted(p, first)); });
}

// How many columns to take at once: full panels for many rows, more of them for so few rows that the chains
// of one panel would wait for each other.
HWY_INLINE int64_t columns_at_once(int64_t rows, int64_t left) {
  if (rows == 1 && left >= 4 * kPanel) return 4 * kPanel;
  if (rows <= 3 && left >= 2 * kPanel) return 2 * kPanel;
  return HWY_MIN(left, kPanel);
}

void multiply_panel(int64_t rows, int64_t columns, const Block& p) {
  if (columns == kPanel) {
    multiply_rows<kRows, 2>(Wide(), rows, p);
  } else if (columns == 2 * kPanel) {
    multiply_rows<3, 4>(Wide(), rows, p);
  } else if (columns == 4 * kPanel) {
    multiply_rows<1, 8>(Wide(), rows, p);
  } else {
    multiply_narrow(rows, columns, p);
  }
}

// Some rows and columns of c over part of the depth, [first, last).
template <class Panel>
HWY_INLINE void multiply_columns(const Product<float>& p, int64_t row, int64_t rows, int64_t column,
                                 int64_t columns, int64_t first, int64_t last, const Panel& panel) {
  int64_t k = first;
  do {
    Block block;
    block.depth = HWY_MIN(kDepthBlock, last - k);
    block.a = p.a + row * p.a_stride + k;
    block.a_row = p.a_stride;
    block.a_depth = 1;
    block.c = p.c + row * p.c_stride + column;
    block.c_row = p.c_stride;
    const bool is_loaded = k > 0 || p.accumulate;
    block.start = is_loaded ? block.c : p.bias ? p.bias + column : zeros;
    block.start_row = is_loaded ? p.c_stride : 0;
    block.relu = p.activation == Activation::Relu && k + block.depth == p.depth;
    panel(block, column, columns, k);
    if (block.ahead) block.ahead_lines = (block.depth * kPanel / 16 + rows - 1) / rows;
    multiply_panel(rows, columns, block);
    k += kDepthBlock;
  } while (k < last);
}

// The whole product in blocks. `panel(block, first column, columns, first of depth)` sets where b is.
template <class Panel>
HWY_INLINE void multiply_in_blocks(const Product<float>& p, const Panel& panel) {
  const int64_t most =
      HWY_MAX(kRowBlock, kLeftBlock / (HWY_MIN(HWY_MAX(p.depth, 1), kDeepBlock) * kRows) * kRows);
  for (int64_t row = 0; row < p.rows; row += most) {
    const int64_t rows = HWY_MIN(most, p.rows - row);
    int64_t first = 0;
    do {
      const int64_t last = HWY_MIN(first + kDeepBlock, p.depth);
      int64_t columns = 0;
      for (int64_t column = 0; column < p.columns; column += columns) {
        columns = columns_at_once(rows, p.columns - column);
        multiply_columns(p, row, rows, column, columns, first, last, panel);
      }
      first += kDeepBlock;
    } while (first < p.depth);
  }
}

#if HWY_TARGET != HWY_SCALAR
// A shallow column is quicker as chains.
bool is_column(const Product<float>& p) { return p.columns == 1 && p.depth >= 32; }

void multiply_column_float(const Product<float>& p, const float* b) {
  int64_t row = 0;
  for (; row + 4 <= p.rows; row += 4) multiply_single_column<4>(p, b, row);
  for (; row < p.rows; ++row) multiply_single_column<1>(p, b, row);
}
#endif

void multiply_packed_float(const Product<float>& p, const Packed<float>& b) {
#if HWY_TARGET != HWY_SCALAR
  if (is_column(p)) return multiply_column_float(p, b.data());
#endif
  const bool is_far = p.rows >= 4 && p.depth * p.columns >= kFar;
  multiply_in_blocks(p, [&](Block& block, int64_t column, int64_t columns, int64_t k) HWY_ATTR {
    block.is_far = is_far;
    block.b_row = HWY_MIN(columns, kPanel);
    block.b = b.data() + column * p.depth + k * block.b_row;
    block.b_panel = kPanel * p.depth;
    if (is_far && column + columns + kPanel <= p.columns) block.ahead = block.b + block.depth * kPanel;
  });
}

void multiply_float(const Product<float>& p) {
#if HWY_TARGET != HWY_SCALAR
  if (is_column(p)) return multiply_column_float(p, p.b);
#endif
  multiply_in_blocks(p, [&](Block& block, int64_t column, int64_t, int64_t k) HWY_ATTR {
    block.b = p.b + k * p.b_stride + column;
    block.b_row = p.b_stride;
    block.b_panel = kPanel;
  });
}

// One block of the depth, with both factors where `block` says.
template <class Place>
HWY_INLINE void multiply_transposed_slice(const TransposedProduct<float>& p, int64_t depth, bool is_first,
                                          const Place& place) {
  for (int64_t row = 0; row < p.a_columns; row += kRowBlock) {
    const int64_t rows = HWY_MIN(kRowBlock, p.a_columns - row);
    int64_t columns = 0;
    for (int64_t column = 0; column < p.b_columns; column += columns) {
      columns = columns_at_once(rows, p.b_columns - column);
      Block block;
      block.depth = depth;
      block.a_row = 1;
      block.a_depth = p.a_stride;
      block.c = p.c + row * p.c_stride + column;
      block.c_row = p.c_stride;
      const bool is_loaded = p.accumulate || !is_first;
      block.start = is_loaded ? block.c : zeros;
      block.start_row = is_loaded ? p.c_stride : 0;
      block.b_panel = kPanel;
      block.is_far = p.a_columns * p.c_stride >= kFar;
      place(block, row, column, columns);
      multiply_panel(rows, columns, block);
    }
  }
}

void multiply_transposed_float(const TransposedProduct<float>& p) {
  int64_t k = 0;
  do {
    const int64_t depth = HWY_MIN(kDepthBlock, p.rows - k);
    multiply_transposed_slice(p, depth, k == 0,
                              [&](Block& block, int64_t row, int64_t column, int64_t) HWY_ATTR {
                                block.a = p.a + k * p.a_stride + row;
                                block.b = p.b + k * p.b_stride + column;
                                block.b_row = p.b_stride;
                              });
    k += kDepthBlock;
  } while (k < p.rows);
}

// As above with both factors copied first; `left` and `right` are scratch.
void multiply_transposed_packed_float(const TransposedProduct<float>& p, Aligned<float>& left,
                                      Packed<float>& right) {
  if (left.size() < kDepthBlock * p.a_columns) left.resize(kDepthBlock * p.a_columns);
  for (int64_t k = 0; k < p.rows; k += kDepthBlock) {
    const int64_t depth = HWY_MIN(kDepthBlock, p.rows - k);
    const float* a = p.a + k * p.a_stride;
    for (int64_t row = 0; row < p.a_columns; row += kRowBlock) {
      pack_left<kRows>(HWY_MIN(kRowBlock, p.a_columns - row), depth, a + row, p.a_stride,
                       left.data() + row * depth);
    }
    TransposedProduct<float> part = p;
    for (int64_t first = 0; first < p.b_columns; first += kColumnBlock) {
      part.b_columns = HWY_MIN(kColumnBlock, p.b_columns - first);
      part.c = p.c + first;
      right.pack(depth, part.b_columns, p.b + k * p.b_stride + first, p.b_stride);
      multiply_transposed_slice(part, depth, k == 0,
                                [&](Block& block, int64_t row, int64_t column, int64_t columns) HWY_ATTR {
                                  block.a = left.data() + row * depth;
                                  block.is_left_packed = true;
                                  block.b = right.data() + column * depth;
                                  block.b_row = HWY_MIN(columns, kPanel);
                                  block.b_panel = kPanel * depth;
                                });
    }
  }
}

int64_t panel_width_float() { return kPanel; }

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <numeric>

namespace gatewise::kernels {
HWY_EXPORT(multiply_float);
HWY_EXPORT(multiply_packed_float);
HWY_EXPORT(multiply_transposed_float);
HWY_EXPORT(multiply_transposed_packed_float);
HWY_EXPORT(pack_float);
HWY_EXPORT(pack_transposed_float);
HWY_EXPORT(panel_width_float);

namespace {

template <class T>
int64_t panel_width_of() {
  if constexpr (std::is_same_v<T, float>) {
    return GATEWISE_DISPATCH(panel_width_float)();
  } else {
    return 8;
  }
}

template <class T>
void check_packed(const Product<T>& product, const Packed<T>& b) {
  if (product.depth != b.depth() || product.columns != b.columns()) {
    internal_error(
        "multiply: the packed factor has another shape; got [{}, {}], expected [{}, {}]; pack it again",
        b.depth(), b.columns(), product.depth, product.columns);
  }
  if (b.panel_width() != panel_width_of<T>()) {
    internal_error(
        "multiply: the factor was packed for another instruction set; got panels of {}, expected {}; pack "
        "it again",
        b.panel_width(), panel_width_of<T>());
  }
}

// Whether `count` cache lines at this stride crowd each other out of a first-level cache of 64 sets and 8
// ways.
bool collides(int64_t count, int64_t stride) {
  if (stride % 16 != 0) return false;
  const int64_t sets = 64 / std::gcd(stride / 16, int64_t{64});
  return count > 4 * sets;
}

// A start from both c and the bias, which the kernels do not know: the bias is added to c beforehand.
void add_bias(const Product<float>& p) {
  for (int64_t row = 0; row < p.rows; ++row) {
    for (int64_t column = 0; column < p.columns; ++column) p.c[row * p.c_stride + column] += p.bias[column];
  }
}

}  // namespace

template <class T>
void Packed<T>::resize(int64_t depth, int64_t columns) {
  depth_ = depth;
  columns_ = columns;
  panel_width_ = panel_width_of<T>();
  if (panels_.size() < depth * columns) panels_.resize(depth * columns);
}

template <class T>
void Packed<T>::pack(int64_t depth, int64_t columns, const T* b, int64_t b_stride) {
  resize(depth, columns);
  if constexpr (std::is_same_v<T, float>) {
    return GATEWISE_DISPATCH(pack_float)(depth, columns, b, b_stride, panels_.data());
  }
  for (int64_t column = 0; column < columns; column += panel_width_) {
    const int64_t width = std::min(panel_width_, columns - column);
    T* to = panels_.data() + column * depth;
    for (int64_t k = 0; k < depth; ++k, to += width) std::copy_n(b + k * b_stride + column, width, to);
  }
}

template <class T>
void Packed<T>::pack_transposed(int64_t depth, int64_t columns, const T* b, int64_t b_stride) {
  resize(depth, columns);
  if constexpr (std::is_same_v<T, float>) {
    return GATEWISE_DISPATCH(pack_transposed_float)(depth, columns, b, b_stride, panels_.data());
  }
  T* to = panels_.data();
  for (int64_t column = 0; column < columns; column += panel_width_) {
    const int64_t width = std::min(panel_width_, columns - column);
    for (int64_t k = 0; k < depth; ++k, to += width) {
      for (int64_t j = 0; j < width; ++j) to[j] = b[(column + j) * b_stride + k];
    }
  }
}

template class Packed<float>;
template class Packed<double>;

void multiply(const Product<float>& product, const Packed<float>& b) {
  check_packed(product, b);
  if (product.bias && product.accumulate) add_bias(product);
  GATEWISE_DISPATCH(multiply_packed_float)(product, b);
}

void multiply(const Product<float>& product) {
  const bool is_scattered = product.columns == 1 && product.b_stride != 1;
  const bool is_large = product.rows >= 48 && product.depth * product.columns >= 16 * 1024;
  if (is_scattered || is_large ||
      (product.rows >= 32 && collides(std::min<int64_t>(product.depth, 256), product.b_stride))) {
    thread_local Packed<float> b;
    b.pack(product.depth, product.columns, product.b, product.b_stride);
    return multiply(product, b);
  }
  if (product.bias && product.accumulate) add_bias(product);
  GATEWISE_DISPATCH(multiply_float)(product);
}

void multiply_transposed(const TransposedProduct<float>& product) {
  const int64_t depth = std::min<int64_t>(product.rows, 256);
  const bool is_large = product.a_columns >= 64 && product.b_columns >= 64;
  const bool is_long = product.a_columns > 256 || product.b_columns >= 512;
  if (is_large && (is_long || collides(depth, product.a_stride) || collides(depth, product.b_stride))) {
    thread_local Aligned<float> left;
    thread_local Packed<float> right;
    GATEWISE_DISPATCH(multiply_transposed_packed_float)(product, left, right);
  } else {
    GATEWISE_DISPATCH(multiply_transposed_float)(product);
  }
}

void multiply(const Product<double>& product) { reference::multiply(product); }

void multiply(const Product<double>& product, const Packed<double>& b) {
  check_packed(product, b);
  reference::multiply(product, [&](int64_t k, int64_t j) {
    const int64_t column = j / b.panel_width() * b.panel_width();
    const int64_t width = std::min(b.panel_width(), b.columns() - column);
    return b.data()[column * b.depth() + k * width + j - column];
  });
}

void multiply_transposed(const TransposedProduct<double>& product) {
  reference::multiply_transposed(product);
}

}  // namespace gatewise::kernels
#endif

// Matrix products: the one seam between the engine and whatever multiplies. Row-major, explicit row strides.
//
// Every output element is one chain of multiply-adds along the depth in ascending order, starting from the
// bias, from c or from 0 (c + bias with both), whatever the number of rows and whether b is packed; so a
// row's result never depends on its neighbours. Float multiply-adds are fused on instruction sets that can
// (avx2, avx512, neon). A float product of a single column and a depth of 32 or more has another order, also
// the same for every row: one chain per lane of a vector, their tree, the elements that remain, then the
// bias or c. NaN and infinity in a row or column reach what depends on them; Relu keeps NaN.
#pragma once

#include <cstdint>

#include "base/aligned.h"

namespace gatewise::kernels {

enum class Activation : uint8_t { None, Relu };

// c [rows, columns] = activation(a [rows, depth] * b [depth, columns] + bias [columns] (+ c when
// accumulating)).
template <class T>
struct Product {
  int64_t rows = 0, columns = 0, depth = 0;
  const T* a = nullptr;
  int64_t a_stride = 0;
  const T* b = nullptr;
  int64_t b_stride = 0;
  const T* bias = nullptr;  // may be null
  T* c = nullptr;
  int64_t c_stride = 0;
  bool accumulate = false;
  Activation activation = Activation::None;
};

// c [a_columns, b_columns] = a [rows, a_columns] transposed * b [rows, b_columns] (+ c when accumulating).
template <class T>
struct TransposedProduct {
  int64_t rows = 0, a_columns = 0, b_columns = 0;
  const T* a = nullptr;
  int64_t a_stride = 0;
  const T* b = nullptr;
  int64_t b_stride = 0;
  T* c = nullptr;
  int64_t c_stride = 0;
  bool accumulate = false;
};

// A matrix [depth, columns] laid out in column panels for fast repeated use as the right factor. Each panel
// is [depth, panel width] and contiguous; the last one has the width that remains.
template <class T>
class Packed {
 public:
  // From b [depth, columns].
  void pack(int64_t depth, int64_t columns, const T* b, int64_t b_stride);
  // From the transpose of b [columns, depth].
  void pack_transposed(int64_t depth, int64_t columns, const T* b, int64_t b_stride);
  const T* data() const { return panels_.data(); }
  int64_t depth() const { return depth_; }
  int64_t columns() const { return columns_; }
  int64_t panel_width() const { return panel_width_; }

 private:
  void resize(int64_t depth, int64_t columns);

  int64_t depth_ = 0, columns_ = 0, panel_width_ = 0;
  Aligned<T> panels_;
};

void multiply(const Product<float>& product);
void multiply(const Product<double>& product);
// product.b and product.b_stride are ignored; depth and columns must equal the packed matrix's.
void multiply(const Product<float>& product, const Packed<float>& b);
void multiply(const Product<double>& product, const Packed<double>& b);
void multiply_transposed(const TransposedProduct<float>& product);
void multiply_transposed(const TransposedProduct<double>& product);

}  // namespace gatewise::kernels

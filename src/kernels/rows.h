// Row-wise loops over a tile. `rows` rows; each argument has a pointer and a row stride in elements.
// Overloads for float are vectorised and dispatched; those for double are the plain loops of reference.h,
// which say what all mean. "accumulate" means += instead of =. A row's result never depends on its
// neighbours.
#pragma once

#include <cstdint>

namespace gatewise::kernels {

template <class T>
struct Rows {  // writable rows
  T* data = nullptr;
  int64_t stride = 0;
};
template <class T>
struct ConstRows {
  const T* data = nullptr;
  int64_t stride = 0;
  ConstRows() = default;
  ConstRows(const T* d, int64_t s) : data(d), stride(s) {}
  ConstRows(const Rows<T>& rows) : data(rows.data), stride(rows.stride) {}
};

// y[g, n] = softmax over n of x[g, n] for each of `groups` groups in a row. x and y may be the same.
template <class T>
void softmax(int64_t rows, int64_t groups, int64_t n, ConstRows<T> x, Rows<T> y);
// dx = y * (dy - <y, dy>).
template <class T>
void softmax_backward(int64_t rows, int64_t groups, int64_t n, ConstRows<T> y, ConstRows<T> dy, Rows<T> dx,
                      bool accumulate);

// out[c, h] = sum over e of weights[c, e] * experts[e, h], per row.
struct MixSizes {
  int64_t rows = 0, consumers = 0, experts = 0, hidden = 0;
  // Backward: d_experts is 0 where `experts`, the output of a ReLU, is not positive.
  bool masks_experts = false;
};
template <class T>
void mix(const MixSizes& sizes, ConstRows<T> experts, ConstRows<T> weights, Rows<T> out);
// d_experts[e, h] (+)= sum over c of weights[c, e] * d_out[c, h]; d_weights[c, e] (+)= <d_out[c],
// experts[e]>. Either target may have null data and is then left out. With masks_experts, d_experts must not
// lie over experts.
template <class T>
void mix_backward(const MixSizes& sizes, ConstRows<T> experts, ConstRows<T> weights, ConstRows<T> d_out,
                  Rows<T> d_experts, bool accumulate_experts, Rows<T> d_weights, bool accumulate_weights);

enum class Unary : uint8_t {
  Relu,
  LeakyRelu,
  Swish,
  GeluExact,
  GeluTanh,
  Tanh,
  Sigmoid,
  Elu,
  Softplus,
  Exp,
  Log,
  Sqrt,
  Square,
  NormalCdf,
  SmoothStep
};
// y = f(x; parameter). parameter: slope (LeakyRelu), alpha (Elu), gamma (SmoothStep); otherwise ignored.
template <class T>
void unary(Unary f, T parameter, int64_t rows, int64_t width, ConstRows<T> x, Rows<T> y);
// dx (+)= f'(x) * dy; both x and y = f(x) are given (Relu, LeakyRelu with positive slope, Tanh, Sigmoid, Exp,
// Sqrt and Elu use only y, so x may be null for them). dx may be dy.
template <class T>
void unary_backward(Unary f, T parameter, int64_t rows, int64_t width, ConstRows<T> x, ConstRows<T> y,
                    ConstRows<T> dy, Rows<T> dx, bool accumulate);

enum class Binary : uint8_t { Add, Subtract, Multiply, Divide };
// y = a op b elementwise over equal widths; a stride of 0 repeats one row.
template <class T>
void binary(Binary f, int64_t rows, int64_t width, ConstRows<T> a, ConstRows<T> b, Rows<T> y);

// y (+)= scale * x.
template <class T>
void scaled_add(int64_t rows, int64_t width, T scale, ConstRows<T> x, Rows<T> y, bool accumulate);
// sums[width] (+)= sum over rows of x, in row order.
template <class T>
void column_sums(int64_t rows, int64_t width, ConstRows<T> x, T* sums, bool accumulate);
// sums[width] (+)= sum over rows of x * y.
template <class T>
void column_dots(int64_t rows, int64_t width, ConstRows<T> x, ConstRows<T> y, T* sums, bool accumulate);

// y = (x - mean) / sqrt(var + epsilon) (* scale + shift), moments over `width`; mean and 1/sd are stored per
// (row, group) in moments [2 * groups]. Root-mean-square form: no mean, no shift. scale and shift may be
// null.
struct NormSizes {
  int64_t rows = 0, groups = 0, width = 0;
  int64_t scale_stride = 0;  // from one group's scale and shift to the next; 0: all groups share them
  double epsilon = 1e-5;
  bool is_rms = false;
};
template <class T>
void layer_norm(const NormSizes& sizes, ConstRows<T> x, const T* scale, const T* shift, Rows<T> y,
                Rows<T> moments);
// d_scale and d_shift accumulate (may be null).
template <class T>
void layer_norm_backward(const NormSizes& sizes, ConstRows<T> x, const T* scale, ConstRows<T> moments,
                         ConstRows<T> dy, Rows<T> dx, bool accumulate, T* d_scale, T* d_shift);

}  // namespace gatewise::kernels

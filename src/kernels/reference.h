// The meaning of every kernel but the optimisers' steps, as plain loops over a scalar type. They serve
// double; the float kernels are tested against them.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/matmul.h"
#include "kernels/rows.h"

namespace gatewise::kernels::reference {

// `b(k, j)` gives the element of the right factor.
template <class T, class Right>
void multiply(const Product<T>& p, const Right& b) {
  for (int64_t i = 0; i < p.rows; ++i) {
    for (int64_t j = 0; j < p.columns; ++j) {
      T& c = p.c[i * p.c_stride + j];
      T sum = p.accumulate ? c : T(0);
      if (p.bias) sum += p.bias[j];
      for (int64_t k = 0; k < p.depth; ++k) sum += p.a[i * p.a_stride + k] * b(k, j);
      c = p.activation == Activation::Relu && sum < T(0) ? T(0) : sum;
    }
  }
}

template <class T>
void multiply(const Product<T>& p) {
  multiply(p, [&](int64_t k, int64_t j) { return p.b[k * p.b_stride + j]; });
}

template <class T>
void multiply_transposed(const TransposedProduct<T>& p) {
  for (int64_t i = 0; i < p.a_columns; ++i) {
    for (int64_t j = 0; j < p.b_columns; ++j) {
      T& c = p.c[i * p.c_stride + j];
      T sum = p.accumulate ? c : T(0);
      for (int64_t k = 0; k < p.rows; ++k) sum += p.a[k * p.a_stride + i] * p.b[k * p.b_stride + j];
      c = sum;
    }
  }
}

template <class T>
void put(T& target, T value, bool accumulate) {
  target = accumulate ? target + value : value;
}

template <class T>
void softmax(int64_t rows, int64_t groups, int64_t n, ConstRows<T> x, Rows<T> y) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t g = 0; g < groups; ++g) {
      const T* from = x.data + r * x.stride + g * n;
      T* to = y.data + r * y.stride + g * n;
      T largest = -std::numeric_limits<T>::infinity(), sum = 0;
      for (int64_t i = 0; i < n; ++i) largest = std::max(largest, from[i]);
      for (int64_t i = 0; i < n; ++i) sum += to[i] = std::exp(from[i] - largest);
      for (int64_t i = 0; i < n; ++i) to[i] /= sum;
    }
  }
}

template <class T>
void softmax_backward(int64_t rows, int64_t groups, int64_t n, ConstRows<T> y, ConstRows<T> dy, Rows<T> dx,
                      bool accumulate) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t g = 0; g < groups; ++g) {
      const T* value = y.data + r * y.stride + g * n;
      const T* gradient = dy.data + r * dy.stride + g * n;
      T* to = dx.data + r * dx.stride + g * n;
      T dot = 0;
      for (int64_t i = 0; i < n; ++i) dot += value[i] * gradient[i];
      for (int64_t i = 0; i < n; ++i) put(to[i], value[i] * (gradient[i] - dot), accumulate);
    }
  }
}

template <class T>
void mix(const MixSizes& s, ConstRows<T> experts, ConstRows<T> weights, Rows<T> out) {
  for (int64_t r = 0; r < s.rows; ++r) {
    const T* weight = weights.data + r * weights.stride;
    for (int64_t c = 0; c < s.consumers; ++c) {
      for (int64_t h = 0; h < s.hidden; ++h) {
        T sum = 0;
        for (int64_t e = 0; e < s.experts; ++e) {
          sum += weight[c * s.experts + e] * experts.data[r * experts.stride + e * s.hidden + h];
        }
        out.data[r * out.stride + c * s.hidden + h] = sum;
      }
    }
  }
}

template <class T>
void mix_backward(const MixSizes& s, ConstRows<T> experts, ConstRows<T> weights, ConstRows<T> d_out,
                  Rows<T> d_experts, bool accumulate_experts, Rows<T> d_weights, bool accumulate_weights) {
  for (int64_t r = 0; r < s.rows; ++r) {
    const T* expert = experts.data + r * experts.stride;
    const T* weight = weights.data + r * weights.stride;
    const T* gradient = d_out.data + r * d_out.stride;
    for (int64_t e = 0; d_weights.data && e < s.experts; ++e) {
      for (int64_t c = 0; c < s.consumers; ++c) {
        T dot = 0;
        for (int64_t h = 0; h < s.hidden; ++h) dot += gradient[c * s.hidden + h] * expert[e * s.hidden + h];
        put(d_weights.data[r * d_weights.stride + c * s.experts + e], dot, accumulate_weights);
      }
    }
    for (int64_t e = 0; d_experts.data && e < s.experts; ++e) {
      for (int64_t h = 0; h < s.hidden; ++h) {
        T sum = 0;
        for (int64_t c = 0; c < s.consumers; ++c)
          sum += weight[c * s.experts + e] * gradient[c * s.hidden + h];
        T& to = d_experts.data[r * d_experts.stride + e * s.hidden + h];
        put(to, sum, accumulate_experts);
        if (s.masks_experts && expert[e * s.hidden + h] <= 0) to = 0;
      }
    }
  }
}

template <class T>
T sigmoid(T x) {
  const T e = std::exp(-std::abs(x));
  return (x < 0 ? e : T(1)) / (T(1) + e);
}

template <class T>
T normal_cdf(T x) {
  return T(0.5) * (T(1) + std::erf(x * T(0.70710678118654752440L)));
}

template <class T>
T normal_density(T x) {
  return T(0.39894228040143267794L) * std::exp(T(-0.5) * x * x);
}

// tanh(sqrt(2 / pi) (x + 0.044715 x^3)), the inner part of the approximate GELU.
template <class T>
T gelu_inner(T x) {
  return std::tanh(T(0.79788456080286535588L) * (x + T(0.044715L) * x * x * x));
}

template <class T>
T unary(Unary f, T parameter, T x) {
  switch (f) {
    case Unary::Relu:
      return x < 0 ? T(0) : x;
    case Unary::LeakyRelu:
      return x > 0 ? x : parameter * x;
    case Unary::Swish:
      return x * sigmoid(x);
    case Unary::GeluExact:
      return x * normal_cdf(x);
    case Unary::GeluTanh:
      return T(0.5) * x * (T(1) + gelu_inner(x));
    case Unary::Tanh:
      return std::tanh(x);
    case Unary::Sigmoid:
      return sigmoid(x);
    case Unary::Elu:
      return x > 0 ? x : parameter * std::expm1(x);
    case Unary::Softplus:
      return (x < 0 ? T(0) : x) + std::log1p(std::exp(-std::abs(x)));
    case Unary::Exp:
      return std::exp(x);
    case Unary::Log:
      return std::log(x);
    case Unary::Sqrt:
      return std::sqrt(x);
    case Unary::Square:
      return x * x;
    case Unary::NormalCdf:
      return normal_cdf(x);
    case Unary::SmoothStep: {
      const T t = x / parameter;
      return t <= T(-0.5) ? T(0) : t >= T(0.5) ? T(1) : (T(1.5) - T(2) * t * t) * t + T(0.5);
    }
  }
  return x;
}

// f'(x), with y = f(x).
template <class T>
T slope(Unary f, T parameter, T x, T y) {
  switch (f) {
    case Unary::Relu:
      return y <= 0 ? T(0) : T(1);
    case Unary::LeakyRelu:
      return (parameter > 0 ? y : x) > 0 ? T(1) : parameter;
    case Unary::Swish:
      return sigmoid(x) * (T(1) + x * (T(1) - sigmoid(x)));
    case Unary::GeluExact:
      return normal_cdf(x) + x * normal_density(x);
    case Unary::GeluTanh: {
      const T inner = gelu_inner(x);
      const T inner_slope = T(0.79788456080286535588L) * (T(1) + T(3) * T(0.044715L) * x * x);
      return T(0.5) * (T(1) + inner) + T(0.5) * x * (T(1) - inner * inner) * inner_slope;
    }
    case Unary::Tanh:
      return T(1) - y * y;
    case Unary::Sigmoid:
      return y * (T(1) - y);
    case Unary::Elu:
      return y > 0 ? T(1) : y + parameter;
    case Unary::Softplus:
      return sigmoid(x);
    case Unary::Exp:
      return y;
    case Unary::Log:
      return T(1) / x;
    case Unary::Sqrt:
      return T(0.5) / y;
    case Unary::Square:
      return T(2) * x;
    case Unary::NormalCdf:
      return normal_density(x);
    case Unary::SmoothStep: {
      const T t = x / parameter;
      return t <= T(-0.5) || t >= T(0.5) ? T(0) : (T(1.5) - T(6) * t * t) / parameter;
    }
  }
  return T(0);
}

template <class T>
void unary(Unary f, T parameter, int64_t rows, int64_t width, ConstRows<T> x, Rows<T> y) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < width; ++i)
      y.data[r * y.stride + i] = unary(f, parameter, x.data[r * x.stride + i]);
  }
}

template <class T>
void unary_backward(Unary f, T parameter, int64_t rows, int64_t width, ConstRows<T> x, ConstRows<T> y,
                    ConstRows<T> dy, Rows<T> dx, bool accumulate) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < width; ++i) {
      const T input = x.data ? x.data[r * x.stride + i] : T(0),
              output = y.data ? y.data[r * y.stride + i] : T(0);
      put(dx.data[r * dx.stride + i], slope(f, parameter, input, output) * dy.data[r * dy.stride + i],
          accumulate);
    }
  }
}

template <class T>
void binary(Binary f, int64_t rows, int64_t width, ConstRows<T> a, ConstRows<T> b, Rows<T> y) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < width; ++i) {
      const T left = a.data[r * a.stride + i], right = b.data[r * b.stride + i];
      T& to = y.data[r * y.stride + i];
      switch (f) {
        case Binary::Add:
          to = left + right;
          break;
        case Binary::Subtract:
          to = left - right;
          break;
        case Binary::Multiply:
          to = left * right;
          break;
        case Binary::Divide:
          to = left / right;
          break;
      }
    }
  }
}

template <class T>
void scaled_add(int64_t rows, int64_t width, T scale, ConstRows<T> x, Rows<T> y, bool accumulate) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < width; ++i)
      put(y.data[r * y.stride + i], scale * x.data[r * x.stride + i], accumulate);
  }
}

template <class T>
void column_sums(int64_t rows, int64_t width, ConstRows<T> x, T* sums, bool accumulate) {
  if (!accumulate) std::fill_n(sums, width, T(0));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < width; ++i) sums[i] += x.data[r * x.stride + i];
  }
}

template <class T>
void column_dots(int64_t rows, int64_t width, ConstRows<T> x, ConstRows<T> y, T* sums, bool accumulate) {
  if (!accumulate) std::fill_n(sums, width, T(0));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < width; ++i) sums[i] += x.data[r * x.stride + i] * y.data[r * y.stride + i];
  }
}

template <class T>
void layer_norm(const NormSizes& s, ConstRows<T> x, const T* scale, const T* shift, Rows<T> y,
                Rows<T> moments) {
  for (int64_t r = 0; r < s.rows; ++r) {
    for (int64_t g = 0; g < s.groups; ++g) {
      const T* from = x.data + r * x.stride + g * s.width;
      T* to = y.data + r * y.stride + g * s.width;
      T mean = 0, variance = 0;
      for (int64_t i = 0; !s.is_rms && i < s.width; ++i) mean += from[i];
      mean /= static_cast<T>(s.width);
      for (int64_t i = 0; i < s.width; ++i) variance += (from[i] - mean) * (from[i] - mean);
      const T inverse = T(1) / std::sqrt(variance / static_cast<T>(s.width) + static_cast<T>(s.epsilon));
      for (int64_t i = 0; i < s.width; ++i) {
        const T value = (from[i] - mean) * inverse * (scale ? scale[g * s.scale_stride + i] : T(1));
        to[i] = shift && !s.is_rms ? value + shift[g * s.scale_stride + i] : value;
      }
      moments.data[r * moments.stride + 2 * g] = mean;
      moments.data[r * moments.stride + 2 * g + 1] = inverse;
    }
  }
}

template <class T>
void layer_norm_backward(const NormSizes& s, ConstRows<T> x, const T* scale, ConstRows<T> moments,
                         ConstRows<T> dy, Rows<T> dx, bool accumulate, T* d_scale, T* d_shift) {
  for (int64_t r = 0; r < s.rows; ++r) {
    for (int64_t g = 0; g < s.groups; ++g) {
      const T* from = x.data + r * x.stride + g * s.width;
      const T* gradient = dy.data + r * dy.stride + g * s.width;
      T* to = dx.data + r * dx.stride + g * s.width;
      const T mean = moments.data[r * moments.stride + 2 * g],
              inverse = moments.data[r * moments.stride + 2 * g + 1];
      T sum = 0, dot = 0;
      for (int64_t i = 0; i < s.width; ++i) {
        const T normal = (from[i] - mean) * inverse,
                scaled = gradient[i] * (scale ? scale[g * s.scale_stride + i] : T(1));
        sum += scaled;
        dot += scaled * normal;
        if (d_scale) d_scale[g * s.scale_stride + i] += gradient[i] * normal;
        if (d_shift && !s.is_rms) d_shift[g * s.scale_stride + i] += gradient[i];
      }
      const T width = static_cast<T>(s.width), sum_share = s.is_rms ? T(0) : sum / width,
              dot_share = dot / width;
      for (int64_t i = 0; i < s.width; ++i) {
        const T normal = (from[i] - mean) * inverse,
                scaled = gradient[i] * (scale ? scale[g * s.scale_stride + i] : T(1));
        put(to[i], inverse * (scaled - sum_share - normal * dot_share), accumulate);
      }
    }
  }
}

}  // namespace gatewise::kernels::reference

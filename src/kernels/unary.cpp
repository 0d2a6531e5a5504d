#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/unary.cpp"
// clang-format off
#include "kernels/targets.h"
#include <hwy/foreach_target.h>
// clang-format on

#include "kernels/join_rows.h"
#include "kernels/reference.h"
#include "kernels/rows.h"
#include "kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gatewise::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr Wide wide;
using V = hn::Vec<Wide>;

HWY_INLINE V set(float value) { return hn::Set(wide, value); }

// tanh(sqrt(2 / pi) (x + 0.044715 x^3)).
HWY_INLINE V gelu_inner(V x) {
  const V cubic = hn::MulAdd(hn::Mul(hn::Mul(x, x), x), set(0.044715f), x);
  return tanh_of(wide, hn::Mul(set(0.79788456080286536f), cubic));
}

template <Unary f>
HWY_INLINE V value(V x, float parameter) {
  const V zero = hn::Zero(wide), one = set(1.0f), half = set(0.5f);
  if constexpr (f == Unary::Relu) {
    return hn::IfThenZeroElse(hn::Lt(x, zero), x);
  } else if constexpr (f == Unary::LeakyRelu) {
    return hn::IfThenElse(hn::Gt(x, zero), x, hn::Mul(set(parameter), x));
  } else if constexpr (f == Unary::Swish) {
    return hn::Mul(x, sigmoid_of(wide, x));
  } else if constexpr (f == Unary::GeluExact) {
    return hn::Mul(x, normal_cdf_of(wide, x));
  } else if constexpr (f == Unary::GeluTanh) {
    return hn::Mul(hn::Mul(half, x), hn::Add(one, gelu_inner(x)));
  } else if constexpr (f == Unary::Tanh) {
    return tanh_of(wide, x);
  } else if constexpr (f == Unary::Sigmoid) {
    return sigmoid_of(wide, x);
  } else if constexpr (f == Unary::Elu) {
    const V below = hn::Mul(set(parameter), expm1_of_small(wide, hn::IfThenZeroElse(hn::Gt(x, zero), x)));
    return hn::IfThenElse(hn::Gt(x, zero), x, below);
  } else if constexpr (f == Unary::Softplus) {
    const V rest = hn::Log1p(wide, hn::Exp(wide, hn::Neg(hn::Abs(x))));
    return keep_nan(wide, x, hn::Add(hn::Max(x, zero), rest));
  } else if constexpr (f == Unary::Exp) {
    return exp_of(wide, x);
  } else if constexpr (f == Unary::Log) {
    return log_of(wide, x);
  } else if constexpr (f == Unary::Sqrt) {
    return hn::Sqrt(x);
  } else if constexpr (f == Unary::Square) {
    return hn::Mul(x, x);
  } else if constexpr (f == Unary::NormalCdf) {
    return normal_cdf_of(wide, x);
  } else {
    static_assert(f == Unary::SmoothStep);
    const V t = hn::Div(x, set(parameter));
    const V inside = hn::MulAdd(hn::NegMulAdd(set(2.0f), hn::Mul(t, t), set(1.5f)), t, half);
    return hn::IfThenZeroElse(hn::Le(t, set(-0.5f)), hn::IfThenElse(hn::Ge(t, half), one, inside));
  }
}

// f'(x) dy, with y = f(x).
template <Unary f>
HWY_INLINE V gradient(V x, V y, V dy, float parameter) {
  const V zero = hn::Zero(wide), one = set(1.0f), half = set(0.5f);
  if constexpr (f == Unary::Relu) {
    return hn::IfThenZeroElse(hn::Le(y, zero), dy);
  } else if constexpr (f == Unary::LeakyRelu) {
    const V decider = parameter > 0 ? y : x;
    return hn::IfThenElse(hn::Gt(decider, zero), dy, hn::Mul(set(parameter), dy));
  } else if constexpr (f == Unary::Swish) {
    const V share = sigmoid_of(wide, x);
    return hn::Mul(dy, hn::Mul(share, hn::MulAdd(x, hn::Sub(one, share), one)));
  } else if constexpr (f == Unary::GeluExact) {
    return hn::Mul(dy, hn::MulAdd(x, normal_density_of(wide, x), normal_cdf_of(wide, x)));
  } else if constexpr (f == Unary::GeluTanh) {
    const V inner = gelu_inner(x);
    const V inner_slope =
        hn::Mul(set(0.79788456080286536f), hn::MulAdd(set(3 * 0.044715f), hn::Mul(x, x), one));
    const V rest = hn::Mul(hn::Mul(x, hn::NegMulAdd(inner, inner, one)), inner_slope);
    return hn::Mul(dy, hn::Mul(half, hn::Add(hn::Add(one, inner), rest)));
  } else if constexpr (f == Unary::Tanh) {
    return hn::Mul(dy, hn::NegMulAdd(y, y, one));
  } else if constexpr (f == Unary::Sigmoid) {
    return hn::Mul(dy, hn::Mul(y, hn::Sub(one, y)));
  } else if constexpr (f == Unary::Elu) {
    return hn::IfThenElse(hn::Gt(y, zero), dy, hn::Mul(dy, hn::Add(y, set(parameter))));
  } else if constexpr (f == Unary::Softplus) {
    return hn::Mul(dy, sigmoid_of(wide, x));
  } else if constexpr (f == Unary::Exp) {
    return hn::Mul(dy, y);
  } else if constexpr (f == Unary::Log) {
    return hn::Div(dy, x);
  } else if constexpr (f == Unary::Sqrt) {
    return hn::Div(hn::Mul(dy, half), y);
  } else if constexpr (f == Unary::Square) {
    return hn::Mul(dy, hn::Add(x, x));
  } else if constexpr (f == Unary::NormalCdf) {
    return hn::Mul(dy, normal_density_of(wide, x));
  } else {
    static_assert(f == Unary::SmoothStep);
    const V t = hn::Div(x, set(parameter));
    const V slope = hn::Div(hn::NegMulAdd(set(6.0f), hn::Mul(t, t), set(1.5f)), set(parameter));
    return hn::IfThenZeroElse(hn::Or(hn::Le(t, set(-0.5f)), hn::Ge(t, half)), hn::Mul(dy, slope));
  }
}

// `count` floats at `from`, fewer than a vector, with zeros after them.
HWY_INLINE V load_some(const float* from, int64_t count) {
  alignas(64) float buffer[lanes<Wide>] = {};
  for (int64_t i = 0; i < count; ++i) buffer[i] = from[i];
  return hn::Load(wide, buffer);
}

HWY_INLINE void store_some(V v, float* to, int64_t count) {
  alignas(64) float buffer[lanes<Wide>];
  hn::Store(v, wide, buffer);
  for (int64_t i = 0; i < count; ++i) to[i] = buffer[i];
}

// The functions are long: a remainder goes through a buffer and the one full-vector copy of the code.
template <Unary f>
void unary_rows(float parameter, int64_t rows, int64_t width, ConstRows<float> x, Rows<float> y) {
  const int64_t whole = width - width % lanes<Wide>;
  for (int64_t r = 0; r < rows; ++r) {
    const float* from = x.data + r * x.stride;
    float* to = y.data + r * y.stride;
    for (int64_t i = 0; i < width; i += lanes<Wide>) {
      const V input = i < whole ? hn::LoadU(wide, from + i) : load_some(from + i, width - i);
      const V output = value<f>(input, parameter);
      if (i < whole) {
        hn::StoreU(output, wide, to + i);
      } else {
        store_some(output, to + i, width - i);
      }
    }
  }
}

template <Unary f>
void unary_backward_rows(float parameter, int64_t rows, int64_t width, ConstRows<float> x, ConstRows<float> y,
                         ConstRows<float> dy, Rows<float> dx, bool accumulate) {
  const auto load = [](const float* from, int64_t i, int64_t width_) HWY_ATTR {
    if (from == nullptr) return hn::Zero(wide);
    return i + lanes<Wide> <= width_ ? hn::LoadU(wide, from + i) : load_some(from + i, width_ - i);
  };
  for (int64_t r = 0; r < rows; ++r) {
    const float* input = x.data ? x.data + r * x.stride : nullptr;
    const float* output = y.data ? y.data + r * y.stride : nullptr;
    const float* change = dy.data + r * dy.stride;
    float* to = dx.data + r * dx.stride;
    for (int64_t i = 0; i < width; i += lanes<Wide>) {
      V result =
          gradient<f>(load(input, i, width), load(output, i, width), load(change, i, width), parameter);
      if (accumulate) result = hn::Add(load(to, i, width), result);
      if (i + lanes<Wide> <= width) {
        hn::StoreU(result, wide, to + i);
      } else {
        store_some(result, to + i, width - i);
      }
    }
  }
}

// Calls run.operator()<f>() for the function chosen at run time.
template <class Run>
HWY_INLINE void with_function(Unary f, const Run& run) {
  switch (f) {
    case Unary::Relu:
      return run.template operator()<Unary::Relu>();
    case Unary::LeakyRelu:
      return run.template operator()<Unary::LeakyRelu>();
    case Unary::Swish:
      return run.template operator()<Unary::Swish>();
    case Unary::GeluExact:
      return run.template operator()<Unary::GeluExact>();
    case Unary::GeluTanh:
      return run.template operator()<Unary::GeluTanh>();
    case Unary::Tanh:
      return run.template operator()<Unary::Tanh>();
    case Unary::Sigmoid:
      return run.template operator()<Unary::Sigmoid>();
    case Unary::Elu:
      return run.template operator()<Unary::Elu>();
    case Unary::Softplus:
      return run.template operator()<Unary::Softplus>();
    case Unary::Exp:
      return run.template operator()<Unary::Exp>();
    case Unary::Log:
      return run.template operator()<Unary::Log>();
    case Unary::Sqrt:
      return run.template operator()<Unary::Sqrt>();
    case Unary::Square:
      return run.template operator()<Unary::Square>();
    case Unary::NormalCdf:
      return run.template operator()<Unary::NormalCdf>();
    case Unary::SmoothStep:
      return run.template operator()<Unary::SmoothStep>();
  }
}

}  // namespace

void unary_float(Unary f, float parameter, int64_t rows, int64_t width, ConstRows<float> x, Rows<float> y) {
  with_function(f, [&]<Unary chosen>() HWY_ATTR { unary_rows<chosen>(parameter, rows, width, x, y); });
}

void unary_backward_float(Unary f, float parameter, int64_t rows, int64_t width, ConstRows<float> x,
                          ConstRows<float> y, ConstRows<float> dy, Rows<float> dx, bool accumulate) {
  with_function(f, [&]<Unary chosen>() HWY_ATTR {
    unary_backward_rows<chosen>(parameter, rows, width, x, y, dy, dx, accumulate);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gatewise::kernels {
HWY_EXPORT(unary_float);
HWY_EXPORT(unary_backward_float);

template <class T>
void unary(Unary f, T parameter, int64_t rows, int64_t width, ConstRows<T> x, Rows<T> y) {
  if constexpr (std::is_same_v<T, float>) {
    join_rows(rows, width, x.stride, y.stride);
    GATEWISE_DISPATCH(unary_float)(f, parameter, rows, width, x, y);
  } else {
    reference::unary(f, parameter, rows, width, x, y);
  }
}

template <class T>
void unary_backward(Unary f, T parameter, int64_t rows, int64_t width, ConstRows<T> x, ConstRows<T> y,
                    ConstRows<T> dy, Rows<T> dx, bool accumulate) {
  if constexpr (std::is_same_v<T, float>) {
    join_rows(rows, width, x.data ? x.stride : width, y.data ? y.stride : width, dy.stride, dx.stride);
    GATEWISE_DISPATCH(unary_backward_float)(f, parameter, rows, width, x, y, dy, dx, accumulate);
  } else {
    reference::unary_backward(f, parameter, rows, width, x, y, dy, dx, accumulate);
  }
}

template void unary(Unary, float, int64_t, int64_t, ConstRows<float>, Rows<float>);
template void unary(Unary, double, int64_t, int64_t, ConstRows<double>, Rows<double>);
template void unary_backward(Unary, float, int64_t, int64_t, ConstRows<float>, ConstRows<float>,
                             ConstRows<float>, Rows<float>, bool);
template void unary_backward(Unary, double, int64_t, int64_t, ConstRows<double>, ConstRows<double>,
                             ConstRows<double>, Rows<double>, bool);

}  // namespace gatewise::kernels
#endif

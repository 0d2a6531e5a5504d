#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax.cpp"
// clang-format off
#include "kernels/targets.h"
#include <hwy/foreach_target.h>
// clang-format on

#include "kernels/reference.h"
#include "kernels/row_step.h"
#include "kernels/rows.h"
#include "kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gatewise::kernels {
namespace HWY_NAMESPACE {

// One group that fills one vector.
template <class D>
HWY_INLINE void softmax_vector(D d, const float* x, float* y) {
  const auto value = hn::LoadU(d, x);
  const auto power = exp_of_small(d, hn::Sub(value, hn::MaxOfLanes(d, value)));
  hn::StoreU(hn::Div(power, hn::SumOfLanes(d, power)), d, y);
}

HWY_INLINE void softmax_group(int64_t n, const float* x, float* y) {
  const Wide d;
  float largest = -std::numeric_limits<float>::infinity();
  over(d, n, [&](auto tag, int64_t i) HWY_ATTR {
    largest = HWY_MAX(largest, hn::GetLane(hn::MaxOfLanes(tag, hn::LoadU(tag, x + i))));
  });
  const float sum = sum_over(d, n, [&](auto tag, int64_t i) HWY_ATTR {
    const auto power = exp_of_small(tag, hn::Sub(hn::LoadU(tag, x + i), hn::Set(tag, largest)));
    hn::StoreU(power, tag, y + i);
    return power;
  });
  over(d, n, [&](auto tag, int64_t i) HWY_ATTR {
    hn::StoreU(hn::Div(hn::LoadU(tag, y + i), hn::Set(tag, sum)), tag, y + i);
  });
}

template <class D>
HWY_INLINE void softmax_vectors(D d, int64_t rows, int64_t groups, ConstRows<float> x, Rows<float> y) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t g = 0; g < groups; ++g) {
      softmax_vector(d, x.data + r * x.stride + g * lanes<D>, y.data + r * y.stride + g * lanes<D>);
    }
  }
}

HWY_INLINE void softmax_rows(int64_t rows, int64_t groups, int64_t n, ConstRows<float> x, Rows<float> y) {
  if (lanes<Short> == 8 && n == 8) return softmax_vectors(hn::CappedTag<float, 8>(), rows, groups, x, y);
  if (lanes<Short> >= 4 && n == 4) return softmax_vectors(hn::CappedTag<float, 4>(), rows, groups, x, y);
  if (lanes<Short> >= 2 && n == 2) return softmax_vectors(hn::CappedTag<float, 2>(), rows, groups, x, y);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t g = 0; g < groups; ++g)
      softmax_group(n, x.data + r * x.stride + g * n, y.data + r * y.stride + g * n);
  }
}

void softmax_float(int64_t rows, int64_t groups, int64_t n, ConstRows<float> x, Rows<float> y) {
  softmax_rows(rows, groups, n, x, y);
}

void run_softmax(const RowStep& step) {
  softmax_rows(1, step.sizes[0], step.sizes[1], {step.inputs[0], 0}, {step.output, 0});
}

decltype(RowStep::run) softmax_step_float() { return run_softmax; }

template <class D>
HWY_INLINE void softmax_backward_vectors(D d, int64_t rows, int64_t groups, ConstRows<float> y,
                                         ConstRows<float> dy, Rows<float> dx, bool accumulate) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t g = 0; g < groups; ++g) {
      const auto value = hn::LoadU(d, y.data + r * y.stride + g * lanes<D>);
      const auto gradient = hn::LoadU(d, dy.data + r * dy.stride + g * lanes<D>);
      float* to = dx.data + r * dx.stride + g * lanes<D>;
      const auto dot = hn::SumOfLanes(d, hn::Mul(value, gradient));
      const auto start = accumulate ? hn::LoadU(d, to) : hn::Zero(d);
      hn::StoreU(hn::MulAdd(value, hn::Sub(gradient, dot), start), d, to);
    }
  }
}

void softmax_backward_group(int64_t n, const float* y, const float* dy, float* dx, bool accumulate) {
  const float dot = sum_over(Wide(), n, [&](auto tag, int64_t i) HWY_ATTR {
    return hn::Mul(hn::LoadU(tag, y + i), hn::LoadU(tag, dy + i));
  });
  over(Wide(), n, [&](auto tag, int64_t i) HWY_ATTR {
    const auto start = accumulate ? hn::LoadU(tag, dx + i) : hn::Zero(tag);
    const auto change = hn::Sub(hn::LoadU(tag, dy + i), hn::Set(tag, dot));
    hn::StoreU(hn::MulAdd(hn::LoadU(tag, y + i), change, start), tag, dx + i);
  });
}

void softmax_backward_float(int64_t rows, int64_t groups, int64_t n, ConstRows<float> y, ConstRows<float> dy,
                            Rows<float> dx, bool accumulate) {
  if (lanes<Short> == 8 && n == 8) {
    return softmax_backward_vectors(hn::CappedTag<float, 8>(), rows, groups, y, dy, dx, accumulate);
  }
  if (lanes<Short> >= 4 && n == 4) {
    return softmax_backward_vectors(hn::CappedTag<float, 4>(), rows, groups, y, dy, dx, accumulate);
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t g = 0; g < groups; ++g) {
      softmax_backward_group(n, y.data + r * y.stride + g * n, dy.data + r * dy.stride + g * n,
                             dx.data + r * dx.stride + g * n, accumulate);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gatewise::kernels {
HWY_EXPORT(softmax_float);
HWY_EXPORT(softmax_backward_float);
HWY_EXPORT(softmax_step_float);

RowStep softmax_step(int64_t groups, int64_t n) {
  return {.run = GATEWISE_DISPATCH(softmax_step_float)(), .sizes = {groups, n}};
}

template <class T>
void softmax(int64_t rows, int64_t groups, int64_t n, ConstRows<T> x, Rows<T> y) {
  if constexpr (std::is_same_v<T, float>) {
    GATEWISE_DISPATCH(softmax_float)(rows, groups, n, x, y);
  } else {
    reference::softmax(rows, groups, n, x, y);
  }
}

template <class T>
void softmax_backward(int64_t rows, int64_t groups, int64_t n, ConstRows<T> y, ConstRows<T> dy, Rows<T> dx,
                      bool accumulate) {
  if constexpr (std::is_same_v<T, float>) {
    GATEWISE_DISPATCH(softmax_backward_float)(rows, groups, n, y, dy, dx, accumulate);
  } else {
    reference::softmax_backward(rows, groups, n, y, dy, dx, accumulate);
  }
}

template void softmax(int64_t, int64_t, int64_t, ConstRows<float>, Rows<float>);
template void softmax(int64_t, int64_t, int64_t, ConstRows<double>, Rows<double>);
template void softmax_backward(int64_t, int64_t, int64_t, ConstRows<float>, ConstRows<float>, Rows<float>,
                               bool);
template void softmax_backward(int64_t, int64_t, int64_t, ConstRows<double>, ConstRows<double>, Rows<double>,
                               bool);

}  // namespace gatewise::kernels
#endif

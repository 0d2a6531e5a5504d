#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/optimisers.cpp"
// clang-format off
#include "kernels/targets.h"
#include <hwy/foreach_target.h>
// clang-format on

#include "kernels/optimisers.h"

#include "kernels/reference_optimisers.h"
#include "kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gatewise::kernels {
namespace HWY_NAMESPACE {

void sgd_float(const SgdStep& s, int64_t count, float* parameters, const float* gradients,
               float gradient_scale, float* momentum) {
  const float rate = static_cast<float>(s.rate), factor = static_cast<float>(s.momentum);
  const float decay = static_cast<float>(s.weight_decay);
  over(Wide(), count, [&](auto d, int64_t i) HWY_ATTR {
    const auto parameter = hn::LoadU(d, parameters + i);
    const auto gradient = hn::Mul(hn::LoadU(d, gradients + i), hn::Set(d, gradient_scale));
    auto change = hn::MulAdd(hn::Set(d, decay), parameter, gradient);
    if (factor != 0) {
      const auto f = hn::Set(d, factor);
      const auto buffer = s.is_first ? change : hn::MulAdd(f, hn::LoadU(d, momentum + i), change);
      hn::StoreU(buffer, d, momentum + i);
      change = s.nesterov ? hn::MulAdd(f, buffer, change) : buffer;
    }
    hn::StoreU(hn::NegMulAdd(hn::Set(d, rate), change, parameter), d, parameters + i);
  });
}

HWY_INLINE void adagrad_elements(const AdagradStep& s, int64_t count, float* parameters,
                                 const float* gradients, float gradient_scale, float* sums) {
  const float rate = static_cast<float>(s.rate), epsilon = static_cast<float>(s.epsilon);
  const float decay = static_cast<float>(s.weight_decay);
  over(Wide(), count, [&](auto d, int64_t i) HWY_ATTR {
    const auto parameter = hn::LoadU(d, parameters + i);
    const auto scaled = hn::Mul(hn::LoadU(d, gradients + i), hn::Set(d, gradient_scale));
    const auto gradient = hn::MulAdd(hn::Set(d, decay), parameter, scaled);
    const auto sum = hn::MulAdd(gradient, gradient, hn::LoadU(d, sums + i));
    hn::StoreU(sum, d, sums + i);
    const auto direction = hn::Div(gradient, hn::Add(hn::Sqrt(sum), hn::Set(d, epsilon)));
    hn::StoreU(hn::NegMulAdd(hn::Set(d, rate), direction, parameter), d, parameters + i);
  });
}

void adagrad_float(const AdagradStep& s, int64_t count, float* parameters, const float* gradients,
                   float gradient_scale, float* sums) {
  adagrad_elements(s, count, parameters, gradients, gradient_scale, sums);
}

// Rows lie anywhere in the table: they are called for ahead of time.
void adagrad_rows_float(const AdagradStep& s, const TableRows& rows, float* parameters,
                        const float* gradients, float gradient_scale, float* sums) {
  constexpr int64_t ahead = 16;
  for (int64_t i = 0; i < rows.count; ++i) {
    if (i + ahead < rows.count) {
      const int64_t later = rows.ids[i + ahead] * rows.stride;
      for (int64_t at = 0; at < rows.width; at += 16) {
        __builtin_prefetch(parameters + later + at);
        __builtin_prefetch(sums + later + at);
      }
    }
    const int64_t first = rows.ids[i] * rows.stride;
    adagrad_elements(s, rows.width, parameters + first, gradients + i * rows.width, gradient_scale,
                     sums + first);
  }
}

void adam_float(const reference::AdamCoefficients<float>& k, int64_t count, float* parameters,
                const float* gradients, float gradient_scale, float* first, float* second) {
  over(Wide(), count, [&](auto d, int64_t i) HWY_ATTR {
    const auto parameter = hn::LoadU(d, parameters + i);
    const auto scaled = hn::Mul(hn::LoadU(d, gradients + i), hn::Set(d, gradient_scale));
    const auto gradient = hn::MulAdd(hn::Set(d, k.decay), parameter, scaled);
    const auto mean =
        hn::MulAdd(hn::Set(d, k.beta1), hn::LoadU(d, first + i), hn::Mul(hn::Set(d, k.rest1), gradient));
    const auto squares = hn::MulAdd(hn::Set(d, k.beta2), hn::LoadU(d, second + i),
                                    hn::Mul(hn::Set(d, k.rest2), hn::Mul(gradient, gradient)));
    hn::StoreU(mean, d, first + i);
    hn::StoreU(squares, d, second + i);
    const auto size = hn::MulAdd(hn::Sqrt(squares), hn::Set(d, k.root), hn::Set(d, k.epsilon));
    const auto kept = hn::Mul(hn::Set(d, k.keep), parameter);
    hn::StoreU(hn::NegMulAdd(hn::Set(d, k.size), hn::Div(mean, size), kept), d, parameters + i);
  });
}

// Four chains per lane, so that the additions do not wait for each other.
double squared_norm_float(int64_t count, const float* values) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, hn::ScalableTag<double>> narrow;
  const auto square = [&](int64_t i, hn::Vec<hn::ScalableTag<double>> sum) HWY_ATTR {
    const auto value = hn::PromoteTo(d, hn::LoadU(narrow, values + i));
    return hn::MulAdd(value, value, sum);
  };
  constexpr int64_t step = static_cast<int64_t>(hn::MaxLanes(hn::ScalableTag<double>()));
  auto sum0 = hn::Zero(d), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  int64_t i = 0;
  for (; i + 4 * step <= count; i += 4 * step) {
    sum0 = square(i, sum0);
    sum1 = square(i + step, sum1);
    sum2 = square(i + 2 * step, sum2);
    sum3 = square(i + 3 * step, sum3);
  }
  double sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
  for (; i < count; ++i) sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  return sum;
}

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gatewise::kernels {
HWY_EXPORT(sgd_float);
HWY_EXPORT(adagrad_float);
HWY_EXPORT(adagrad_rows_float);
HWY_EXPORT(adam_float);
HWY_EXPORT(squared_norm_float);

template <class T>
void sgd(const SgdStep& step, int64_t count, T* parameters, const T* gradients, T gradient_scale,
         T* momentum) {
  if constexpr (std::is_same_v<T, float>) {
    GATEWISE_DISPATCH(sgd_float)(step, count, parameters, gradients, gradient_scale, momentum);
  } else {
    reference::sgd(step, count, parameters, gradients, gradient_scale, momentum);
  }
}

template <class T>
void adagrad(const AdagradStep& step, int64_t count, T* parameters, const T* gradients, T gradient_scale,
             T* sums) {
  if constexpr (std::is_same_v<T, float>) {
    GATEWISE_DISPATCH(adagrad_float)(step, count, parameters, gradients, gradient_scale, sums);
  } else {
    reference::adagrad(step, count, parameters, gradients, gradient_scale, sums);
  }
}

template <class T>
void adagrad_rows(const AdagradStep& step, const TableRows& rows, T* parameters, const T* gradients,
                  T gradient_scale, T* sums) {
  if constexpr (std::is_same_v<T, float>) {
    GATEWISE_DISPATCH(adagrad_rows_float)(step, rows, parameters, gradients, gradient_scale, sums);
  } else {
    for (int64_t i = 0; i < rows.count; ++i) {
      const int64_t first = rows.ids[i] * rows.stride;
      reference::adagrad(step, rows.width, parameters + first, gradients + i * rows.width, gradient_scale,
                         sums + first);
    }
  }
}

template <class T>
void adam(const AdamStep& step, int64_t count, T* parameters, const T* gradients, T gradient_scale, T* first,
          T* second) {
  if constexpr (std::is_same_v<T, float>) {
    const reference::AdamCoefficients<float> coefficients(step);
    GATEWISE_DISPATCH(adam_float)(coefficients, count, parameters, gradients, gradient_scale, first, second);
  } else {
    reference::adam(step, count, parameters, gradients, gradient_scale, first, second);
  }
}

template void sgd(const SgdStep&, int64_t, float*, const float*, float, float*);
template void sgd(const SgdStep&, int64_t, double*, const double*, double, double*);
template void adagrad(const AdagradStep&, int64_t, float*, const float*, float, float*);
template void adagrad(const AdagradStep&, int64_t, double*, const double*, double, double*);
template void adagrad_rows(const AdagradStep&, const TableRows&, float*, const float*, float, float*);
template void adagrad_rows(const AdagradStep&, const TableRows&, double*, const double*, double, double*);
template void adam(const AdamStep&, int64_t, float*, const float*, float, float*, float*);
template void adam(const AdamStep&, int64_t, double*, const double*, double, double*, double*);

double squared_norm(int64_t count, const float* values) {
  return GATEWISE_DISPATCH(squared_norm_float)(count, values);
}

double squared_norm(int64_t count, const double* values) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += values[i] * values[i];
  return sum;
}

}  // namespace gatewise::kernels
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/norm.cpp"
// clang-format off
#include "kernels/targets.h"
#include <hwy/foreach_target.h>
// clang-format on

#include "kernels/reference.h"
#include "kernels/rows.h"
#include "kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gatewise::kernels {
namespace HWY_NAMESPACE {
namespace {

struct Moments {
  float mean, inverse;  // inverse of the standard deviation or of the root mean square
};

HWY_INLINE Moments moments_of(const NormSizes& s, const float* x) {
  const Wide wide;
  const float width = static_cast<float>(s.width);
  float mean = 0;
  if (!s.is_rms) {
    mean = sum_over(wide, s.width, [&](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, x + i); }) / width;
  }
  const float squares = sum_over(wide, s.width, [&](auto d, int64_t i) HWY_ATTR {
    const auto distance = hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean));
    return hn::Mul(distance, distance);
  });
  return {mean, 1.0f / std::sqrt(squares / width + static_cast<float>(s.epsilon))};
}

template <class D>
HWY_INLINE hn::Vec<D> normal(D d, const float* x, Moments m) {
  return hn::Mul(hn::Sub(hn::LoadU(d, x), hn::Set(d, m.mean)), hn::Set(d, m.inverse));
}

template <class D>
HWY_INLINE hn::Vec<D> scaled(D d, const float* dy, const float* scale, int64_t i) {
  const auto gradient = hn::LoadU(d, dy + i);
  return scale ? hn::Mul(gradient, hn::LoadU(d, scale + i)) : gradient;
}

HWY_INLINE void backward_group(const NormSizes& s, const float* x, const float* scale, Moments m,
                               const float* dy, float* dx, bool accumulate) {
  const Wide wide;
  const float width = static_cast<float>(s.width);
  float sum_share = 0;
  if (!s.is_rms) {
    sum_share =
        sum_over(wide, s.width, [&](auto d, int64_t i) HWY_ATTR { return scaled(d, dy, scale, i); }) / width;
  }
  const float dot_share = sum_over(wide, s.width,
                                   [&](auto d, int64_t i) HWY_ATTR {
                                     return hn::Mul(scaled(d, dy, scale, i), normal(d, x + i, m));
                                   }) /
                          width;
  over(wide, s.width, [&](auto d, int64_t i) HWY_ATTR {
    const auto centred = hn::Sub(scaled(d, dy, scale, i), hn::Set(d, sum_share));
    const auto change = hn::NegMulAdd(normal(d, x + i, m), hn::Set(d, dot_share), centred);
    const auto start = accumulate ? hn::LoadU(d, dx + i) : hn::Zero(d);
    hn::StoreU(hn::MulAdd(hn::Set(d, m.inverse), change, start), d, dx + i);
  });
}

}  // namespace

void layer_norm_float(const NormSizes& s, ConstRows<float> x, const float* scale, const float* shift,
                      Rows<float> y, Rows<float> moments) {
  if (s.is_rms) shift = nullptr;
  for (int64_t r = 0; r < s.rows; ++r) {
    for (int64_t g = 0; g < s.groups; ++g) {
      const float* from = x.data + r * x.stride + g * s.width;
      float* to = y.data + r * y.stride + g * s.width;
      const float* factor = scale ? scale + g * s.scale_stride : nullptr;
      const float* term = shift ? shift + g * s.scale_stride : nullptr;
      const Moments m = moments_of(s, from);
      over(Wide(), s.width, [&](auto d, int64_t i) HWY_ATTR {
        auto value = normal(d, from + i, m);
        if (factor) value = hn::Mul(value, hn::LoadU(d, factor + i));
        if (term) value = hn::Add(value, hn::LoadU(d, term + i));
        hn::StoreU(value, d, to + i);
      });
      moments.data[r * moments.stride + 2 * g] = m.mean;
      moments.data[r * moments.stride + 2 * g + 1] = m.inverse;
    }
  }
}

void layer_norm_backward_float(const NormSizes& s, ConstRows<float> x, const float* scale,
                               ConstRows<float> moments, ConstRows<float> dy, Rows<float> dx, bool accumulate,
                               float* d_scale, float* d_shift) {
  if (s.is_rms) d_shift = nullptr;
  for (int64_t r = 0; r < s.rows; ++r) {
    for (int64_t g = 0; g < s.groups; ++g) {
      const float* from = x.data + r * x.stride + g * s.width;
      const float* gradient = dy.data + r * dy.stride + g * s.width;
      const float* stored = moments.data + r * moments.stride + 2 * g;
      const Moments m{stored[0], stored[1]};
      if (d_scale) {
        over(Wide(), s.width, [&](auto d, int64_t i) HWY_ATTR {
          float* to = d_scale + g * s.scale_stride + i;
          hn::StoreU(hn::MulAdd(hn::LoadU(d, gradient + i), normal(d, from + i, m), hn::LoadU(d, to)), d, to);
        });
      }
      if (d_shift) {
        over(Wide(), s.width, [&](auto d, int64_t i) HWY_ATTR {
          float* to = d_shift + g * s.scale_stride + i;
          hn::StoreU(hn::Add(hn::LoadU(d, gradient + i), hn::LoadU(d, to)), d, to);
        });
      }
      backward_group(s, from, scale ? scale + g * s.scale_stride : nullptr, m, gradient,
                     dx.data + r * dx.stride + g * s.width, accumulate);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gatewise::kernels {
HWY_EXPORT(layer_norm_float);
HWY_EXPORT(layer_norm_backward_float);

template <class T>
void layer_norm(const NormSizes& sizes, ConstRows<T> x, const T* scale, const T* shift, Rows<T> y,
                Rows<T> moments) {
  if constexpr (std::is_same_v<T, float>) {
    GATEWISE_DISPATCH(layer_norm_float)(sizes, x, scale, shift, y, moments);
  } else {
    reference::layer_norm(sizes, x, scale, shift, y, moments);
  }
}

template <class T>
void layer_norm_backward(const NormSizes& sizes, ConstRows<T> x, const T* scale, ConstRows<T> moments,
                         ConstRows<T> dy, Rows<T> dx, bool accumulate, T* d_scale, T* d_shift) {
  if constexpr (std::is_same_v<T, float>) {
    GATEWISE_DISPATCH(layer_norm_backward_float)
    (sizes, x, scale, moments, dy, dx, accumulate, d_scale, d_shift);
  } else {
    reference::layer_norm_backward(sizes, x, scale, moments, dy, dx, accumulate, d_scale, d_shift);
  }
}

template void layer_norm(const NormSizes&, ConstRows<float>, const float*, const float*, Rows<float>,
                         Rows<float>);
template void layer_norm(const NormSizes&, ConstRows<double>, const double*, const double*, Rows<double>,
                         Rows<double>);
template void layer_norm_backward(const NormSizes&, ConstRows<float>, const float*, ConstRows<float>,
                                  ConstRows<float>, Rows<float>, bool, float*, float*);
template void layer_norm_backward(const NormSizes&, ConstRows<double>, const double*, ConstRows<double>,
                                  ConstRows<double>, Rows<double>, bool, double*, double*);

}  // namespace gatewise::kernels
#endif

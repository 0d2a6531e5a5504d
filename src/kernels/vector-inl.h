// What all vector sources share, compiled once per target: loops over a width without touching anything
// beyond it, and elementary functions that keep NaN and infinity.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cstdint>
#include <cstring>
#include <limits>

#if defined(GATEWISE_KERNELS_VECTOR_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GATEWISE_KERNELS_VECTOR_INL
#undef GATEWISE_KERNELS_VECTOR_INL
#else
#define GATEWISE_KERNELS_VECTOR_INL
#endif

HWY_BEFORE_NAMESPACE();
namespace gatewise::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Wide = hn::ScalableTag<float>;
// At most 256 bits, for rows so short that wider vectors would stay half empty.
using Short = hn::CappedTag<float, 8>;

template <class D>
constexpr int64_t lanes = static_cast<int64_t>(hn::MaxLanes(D()));

template <class D>
using Narrower = hn::CappedTag<float, hn::MaxLanes(D()) / 2>;

// Calls body(tag, first) for consecutive pieces of [first, width), each tag half as wide as the one before.
template <class D, class Body>
HWY_INLINE void over_rest(D, int64_t first, int64_t width, const Body& body) {
  if constexpr (lanes < D >> 1) {
    const Narrower<D> narrower;
    if (width - first >= lanes<D> / 2) {
      body(narrower, first);
      first += lanes<D> / 2;
    }
    over_rest(narrower, first, width, body);
  }
}

// Calls body(tag, first) for consecutive pieces of [0, width): full vectors, then ever narrower ones.
template <class D, class Body>
HWY_INLINE void over(D d, int64_t width, const Body& body) {
  int64_t i = 0;
  for (; i + lanes<D> <= width; i += lanes<D>) body(d, i);
  if (i < width) over_rest(d, i, width, body);
}

// The sum of term(tag, first) over [0, width): one chain per lane, then a fixed tree; the order follows from
// the width alone.
template <class D, class Term>
HWY_INLINE float sum_over(D d, int64_t width, const Term& term) {
  auto sums = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes<D> <= width; i += lanes<D>) sums = hn::Add(sums, term(d, i));
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  if (i < width) {
    over_rest(d, i, width, [&](auto narrow, int64_t first) HWY_ATTR {
      sum += hn::GetLane(hn::SumOfLanes(narrow, term(narrow, first)));
    });
  }
  return sum;
}

#if HWY_TARGET != HWY_SCALAR

// Lane i of the result is the sum of all lanes of the i-th vector.
template <class D>
HWY_INLINE hn::Vec<hn::CappedTag<float, 4>> four_sums(D d, const hn::Vec<D> (&v)[4]) {
  const hn::RepartitionToWide<hn::RebindToUnsigned<D>> pairs;
  const auto ab = hn::Add(hn::InterleaveLower(d, v[0], v[1]), hn::InterleaveUpper(d, v[0], v[1]));
  const auto cd = hn::Add(hn::InterleaveLower(d, v[2], v[3]), hn::InterleaveUpper(d, v[2], v[3]));
  const auto low = hn::InterleaveLower(pairs, hn::BitCast(pairs, ab), hn::BitCast(pairs, cd));
  const auto high = hn::InterleaveUpper(pairs, hn::BitCast(pairs, ab), hn::BitCast(pairs, cd));
  const auto sums = hn::Add(hn::BitCast(d, low), hn::BitCast(d, high));
  if constexpr (lanes<D> == 8) {
    const hn::Half<D> half;
    return hn::Add(hn::LowerHalf(half, sums), hn::UpperHalf(half, sums));
  } else {
    return sums;
  }
}

#endif

// y, or x where that is NaN. (Highway's Ne is an ordered comparison on AVX2: false for NaN.)
template <class D, class V>
HWY_INLINE V keep_nan(D, V x, V y) {
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

// For x <= 88; NaN stays NaN.
template <class D, class V>
HWY_INLINE V exp_of_small(D d, V x) {
  return keep_nan(d, x, hn::Exp(d, x));
}

template <class D, class V>
HWY_INLINE V exp_of(D d, V x) {
  return keep_nan(d, x, hn::Exp(d, hn::Min(x, hn::Set(d, 89.0f))));
}

// exp(x) - 1 for x <= 88.
template <class D, class V>
HWY_INLINE V expm1_of_small(D d, V x) {
  return keep_nan(d, x, hn::Expm1(d, x));
}

template <class D, class V>
HWY_INLINE V log_of(D d, V x) {
  const auto infinity = hn::Set(d, std::numeric_limits<float>::infinity());
  const auto is_ordinary = hn::And(hn::Gt(x, hn::Zero(d)), hn::Lt(x, infinity));
  // 0 gives -infinity, infinity itself, anything else NaN.
  const auto special = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity),
                                      hn::IfThenElse(hn::Eq(x, infinity), x, hn::Sub(infinity, infinity)));
  return hn::IfThenElse(is_ordinary, hn::Log(d, x), special);
}

template <class D, class V>
HWY_INLINE V tanh_of(D d, V x) {
  const auto limit = hn::Set(d, 20.0f);
  return keep_nan(d, x, hn::Tanh(d, hn::Max(hn::Min(x, limit), hn::Neg(limit))));
}

template <class D, class V>
HWY_INLINE V sigmoid_of(D d, V x) {
  const auto one = hn::Set(d, 1.0f);
  const auto e = exp_of_small(d, hn::Neg(hn::Abs(x)));
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
}

// Absolute error below 1e-7. Polynomials fitted for this file: erf(x) / x in x^2 on [0, 1], and the logarithm
// of 1 - erf(x) in x on [1, 4], both with the error of erf itself made even.
template <class D, class V>
HWY_INLINE V erf_of(D d, V x) {
  const auto one = hn::Set(d, 1.0f);
  const auto size = hn::Abs(x);
  const auto square = hn::Mul(x, x);
  auto near = hn::Set(d, 7.85404336056672e-05f);
  near = hn::MulAdd(near, square, hn::Set(d, -0.0008010253077372909f));
  near = hn::MulAdd(near, square, hn::Set(d, 0.005188335198909044f));
  near = hn::MulAdd(near, square, hn::Set(d, -0.026853816583752632f));
  near = hn::MulAdd(near, square, hn::Set(d, 0.1128358542919159f));
  near = hn::MulAdd(near, square, hn::Set(d, -0.3761262595653534f));
  near = hn::MulAdd(near, square, hn::Set(d, 1.1283791065216064f));
  near = hn::Mul(near, x);
  const auto bounded = hn::Min(size, hn::Set(d, 4.0f));
  auto far = hn::Set(d, 0.0001855739246821031f);
  far = hn::MulAdd(far, bounded, hn::Set(d, -0.002939606551080942f));
  far = hn::MulAdd(far, bounded, hn::Set(d, 0.02180531620979309f));
  far = hn::MulAdd(far, bounded, hn::Set(d, -0.10303736478090286f));
  far = hn::MulAdd(far, bounded, hn::Set(d, -0.6382256746292114f));
  far = hn::MulAdd(far, bounded, hn::Set(d, -1.1270400285720825f));
  far = hn::MulAdd(far, bounded, hn::Set(d, -0.0003537199809215963f));
  far = hn::CopySign(hn::Sub(one, hn::Exp(d, far)), x);
  return keep_nan(d, x, hn::IfThenElse(hn::Lt(size, one), near, far));
}

// Phi(x), the distribution function of the standard normal distribution.
template <class D, class V>
HWY_INLINE V normal_cdf_of(D d, V x) {
  const auto half = hn::Set(d, 0.5f);
  return hn::MulAdd(half, erf_of(d, hn::Mul(x, hn::Set(d, 0.70710678118654752f))), half);
}

// phi(x), the density of the standard normal distribution.
template <class D, class V>
HWY_INLINE V normal_density_of(D d, V x) {
  const auto exponent = hn::Mul(hn::Mul(x, x), hn::Set(d, -0.5f));
  return hn::Mul(hn::Set(d, 0.39894228040143268f), exp_of_small(d, exponent));
}

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#endif

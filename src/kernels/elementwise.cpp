#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise.cpp"
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

template <class Operation>
HWY_INLINE void binary_rows(int64_t rows, int64_t width, ConstRows<float> a, ConstRows<float> b,
                            Rows<float> y, const Operation& operation) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* left = a.data + r * a.stride;
    const float* right = b.data + r * b.stride;
    float* to = y.data + r * y.stride;
    over(Wide(), width, [&](auto d, int64_t i) HWY_ATTR {
      hn::StoreU(operation(hn::LoadU(d, left + i), hn::LoadU(d, right + i)), d, to + i);
    });
  }
}

void binary_float(Binary f, int64_t rows, int64_t width, ConstRows<float> a, ConstRows<float> b,
                  Rows<float> y) {
  switch (f) {
    case Binary::Add:
      return binary_rows(rows, width, a, b, y, [](auto u, auto v) HWY_ATTR { return hn::Add(u, v); });
    case Binary::Subtract:
      return binary_rows(rows, width, a, b, y, [](auto u, auto v) HWY_ATTR { return hn::Sub(u, v); });
    case Binary::Multiply:
      return binary_rows(rows, width, a, b, y, [](auto u, auto v) HWY_ATTR { return hn::Mul(u, v); });
    case Binary::Divide:
      return binary_rows(rows, width, a, b, y, [](auto u, auto v) HWY_ATTR { return hn::Div(u, v); });
  }
}

void scaled_add_float(int64_t rows, int64_t width, float scale, ConstRows<float> x, Rows<float> y,
                      bool accumulate) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* from = x.data + r * x.stride;
    float* to = y.data + r * y.stride;
    over(Wide(), width, [&](auto d, int64_t i) HWY_ATTR {
      const auto factor = hn::Set(d, scale), value = hn::LoadU(d, from + i);
      hn::StoreU(accumulate ? hn::MulAdd(factor, value, hn::LoadU(d, to + i)) : hn::Mul(factor, value), d,
                 to + i);
    });
  }
}

// kVectors columns of sums stay in registers while all rows go by. term(tag, row, column) is what is added.
template <int kVectors, class D, class Add>
HWY_INLINE void sum_columns(D d, int64_t rows, int64_t column, float* sums, bool accumulate, const Add& add) {
  hn::Vec<D> totals[kVectors];
  HWY_UNROLL(4)
  for (int j = 0; j < kVectors; ++j) {
    totals[j] = accumulate ? hn::LoadU(d, sums + column + j * lanes<D>) : hn::Zero(d);
  }
  for (int64_t r = 0; r < rows; ++r) {
    HWY_UNROLL(4)
    for (int j = 0; j < kVectors; ++j) totals[j] = add(d, totals[j], r, column + j * lanes<D>);
  }
  HWY_UNROLL(4)
  for (int j = 0; j < kVectors; ++j) hn::StoreU(totals[j], d, sums + column + j * lanes<D>);
}

template <class Add>
HWY_INLINE void sum_all_columns(int64_t rows, int64_t width, float* sums, bool accumulate, const Add& add) {
  const Wide d;
  int64_t i = 0;
  for (; i + 4 * lanes<Wide> <= width; i += 4 * lanes<Wide>)
    sum_columns<4>(d, rows, i, sums, accumulate, add);
  for (; i + lanes<Wide> <= width; i += lanes<Wide>) sum_columns<1>(d, rows, i, sums, accumulate, add);
  over_rest(d, i, width, [&](auto narrow, int64_t first) HWY_ATTR {
    sum_columns<1>(narrow, rows, first, sums, accumulate, add);
  });
}

void column_sums_float(int64_t rows, int64_t width, ConstRows<float> x, float* sums, bool accumulate) {
  sum_all_columns(rows, width, sums, accumulate, [&](auto d, auto total, int64_t r, int64_t i) HWY_ATTR {
    return hn::Add(total, hn::LoadU(d, x.data + r * x.stride + i));
  });
}

void column_dots_float(int64_t rows, int64_t width, ConstRows<float> x, ConstRows<float> y, float* sums,
                       bool accumulate) {
  sum_all_columns(rows, width, sums, accumulate, [&](auto d, auto total, int64_t r, int64_t i) HWY_ATTR {
    return hn::MulAdd(hn::LoadU(d, x.data + r * x.stride + i), hn::LoadU(d, y.data + r * y.stride + i),
                      total);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gatewise::kernels {
HWY_EXPORT(binary_float);
HWY_EXPORT(scaled_add_float);
HWY_EXPORT(column_sums_float);
HWY_EXPORT(column_dots_float);

template <class T>
void binary(Binary f, int64_t rows, int64_t width, ConstRows<T> a, ConstRows<T> b, Rows<T> y) {
  if constexpr (std::is_same_v<T, float>) {
    join_rows(rows, width, a.stride, b.stride, y.stride);
    GATEWISE_DISPATCH(binary_float)(f, rows, width, a, b, y);
  } else {
    reference::binary(f, rows, width, a, b, y);
  }
}

template <class T>
void scaled_add(int64_t rows, int64_t width, T scale, ConstRows<T> x, Rows<T> y, bool accumulate) {
  if constexpr (std::is_same_v<T, float>) {
    join_rows(rows, width, x.stride, y.stride);
    GATEWISE_DISPATCH(scaled_add_float)(rows, width, scale, x, y, accumulate);
  } else {
    reference::scaled_add(rows, width, scale, x, y, accumulate);
  }
}

template <class T>
void column_sums(int64_t rows, int64_t width, ConstRows<T> x, T* sums, bool accumulate) {
  if constexpr (std::is_same_v<T, float>) {
    GATEWISE_DISPATCH(column_sums_float)(rows, width, x, sums, accumulate);
  } else {
    reference::column_sums(rows, width, x, sums, accumulate);
  }
}

template <class T>
void column_dots(int64_t rows, int64_t width, ConstRows<T> x, ConstRows<T> y, T* sums, bool accumulate) {
  if constexpr (std::is_same_v<T, float>) {
    GATEWISE_DISPATCH(column_dots_float)(rows, width, x, y, sums, accumulate);
  } else {
    reference::column_dots(rows, width, x, y, sums, accumulate);
  }
}

template void binary(Binary, int64_t, int64_t, ConstRows<float>, ConstRows<float>, Rows<float>);
template void binary(Binary, int64_t, int64_t, ConstRows<double>, ConstRows<double>, Rows<double>);
template void scaled_add(int64_t, int64_t, float, ConstRows<float>, Rows<float>, bool);
template void scaled_add(int64_t, int64_t, double, ConstRows<double>, Rows<double>, bool);
template void column_sums(int64_t, int64_t, ConstRows<float>, float*, bool);
template void column_sums(int64_t, int64_t, ConstRows<double>, double*, bool);
template void column_dots(int64_t, int64_t, ConstRows<float>, ConstRows<float>, float*, bool);
template void column_dots(int64_t, int64_t, ConstRows<double>, ConstRows<double>, double*, bool);

}  // namespace gatewise::kernels
#endif

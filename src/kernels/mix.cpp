#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/mix.cpp"
// clang-format off
#include "kernels/targets.h"
#include <hwy/foreach_target.h>
// clang-format on

#include "kernels/product-inl.h"
#include "kernels/reference.h"
#include "kernels/row_step.h"
#include "kernels/rows.h"

HWY_BEFORE_NAMESPACE();
namespace gatewise::kernels {
namespace HWY_NAMESPACE {
namespace {

alignas(32) constexpr float nothing[2 * lanes<Short>] = {};

// From one row's product to the next row's.
struct Steps {
  int64_t rows, a, b, start, c;
};

template <int kRows, int kVectors, class D>
HWY_NOINLINE void product_per_row(D d, const Steps& steps, Block p) {
  for (int64_t r = 0; r < steps.rows; ++r) {
    multiply_block<kRows, kVectors>(d, p);
    p.a += steps.a;
    p.b += steps.b;
    p.start += steps.start;
    p.c += steps.c;
  }
}

template <int kVectors, class D>
HWY_INLINE void product_lines_per_row(D d, int64_t lines, const Steps& steps, Block p) {
  while (lines > 0) {
    const int64_t taken = lines >= 8 || lines == 4 ? 4 : lines >= 5 ? 3 : lines;
    switch (taken) {
      case 4:
        product_per_row<4, kVectors>(d, steps, p);
        break;
      case 3:
        product_per_row<3, kVectors>(d, steps, p);
        break;
      case 2:
        product_per_row<2, kVectors>(d, steps, p);
        break;
      default:
        product_per_row<1, kVectors>(d, steps, p);
        break;
    }
    lines -= taken;
    p.a += taken * p.a_row;
    p.start += taken * p.start_row;
    p.c += taken * p.c_row;
  }
}

// For every row a small product c [lines, width] = start + a [lines, depth] b [depth, width].
void products_per_row(int64_t lines, int64_t width, const Steps& steps, const Block& p) {
  const auto at = [&](int64_t first) HWY_ATTR {
    Block moved = p;
    moved.b += first;
    moved.c += first;
    if (moved.start != nothing) moved.start += first;
    return moved;
  };
  const Short d;
  int64_t i = 0;
  for (; i + 2 * lanes<Short> <= width; i += 2 * lanes<Short>)
    product_lines_per_row<2>(d, lines, steps, at(i));
  if (i + lanes<Short> <= width) {
    product_lines_per_row<1>(d, lines, steps, at(i));
    i += lanes<Short>;
  }
  over_rest(d, i, width, [&](auto narrow, int64_t first) HWY_ATTR {
    product_lines_per_row<1>(narrow, lines, steps, at(first));
  });
}

#if HWY_TARGET != HWY_SCALAR  // four lanes at least

// targets[c][e] (+)= <gradients[c], experts[e]> for kConsumers consumers and four experts.
template <int kConsumers, class D>
HWY_INLINE void four_dots(D d, const MixSizes& s, const float* experts, const float* gradients,
                          float* targets, bool accumulate) {
  hn::Vec<D> sums[kConsumers][4];
  HWY_UNROLL(4)
  for (int c = 0; c < kConsumers; ++c) {
    HWY_UNROLL(4)
    for (int e = 0; e < 4; ++e) sums[c][e] = hn::Zero(d);
  }
  for (int64_t h = 0; h < s.hidden; h += lanes<D>) {
    hn::Vec<D> gradient[kConsumers];
    HWY_UNROLL(4)
    for (int c = 0; c < kConsumers; ++c) gradient[c] = hn::LoadU(d, gradients + c * s.hidden + h);
    HWY_UNROLL(4)
    for (int e = 0; e < 4; ++e) {
      const auto expert = hn::LoadU(d, experts + e * s.hidden + h);
      HWY_UNROLL(4)
      for (int c = 0; c < kConsumers; ++c) sums[c][e] = hn::MulAdd(gradient[c], expert, sums[c][e]);
    }
  }
  const hn::CappedTag<float, 4> four;
  HWY_UNROLL(4)
  for (int c = 0; c < kConsumers; ++c) {
    float* to = targets + c * s.experts;
    auto dots = four_sums(d, sums[c]);
    if (accumulate) dots = hn::Add(hn::LoadU(four, to), dots);
    hn::StoreU(dots, four, to);
  }
}

template <class D>
HWY_INLINE void dots_per_row(D d, const MixSizes& s, ConstRows<float> experts, ConstRows<float> d_out,
                             Rows<float> d_weights, bool accumulate) {
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* expert = experts.data + r * experts.stride;
    const float* gradient = d_out.data + r * d_out.stride;
    float* to = d_weights.data + r * d_weights.stride;
    int64_t c = 0;
    for (; c + 2 <= s.consumers; c += 2) {
      for (int64_t e = 0; e < s.experts; e += 4) {
        four_dots<2>(d, s, expert + e * s.hidden, gradient + c * s.hidden, to + c * s.experts + e,
                     accumulate);
      }
    }
    for (int64_t e = 0; c < s.consumers && e < s.experts; e += 4) {
      four_dots<1>(d, s, expert + e * s.hidden, gradient + c * s.hidden, to + c * s.experts + e, accumulate);
    }
  }
}

// Both gradients of one row in one pass, for one or two consumers and experts of kVectors vectors: gradients
// stay in registers, each expert is loaded once and its gradient stored once (also in its place).
template <int kConsumers, int kVectors, bool kMasks, class D>
HWY_INLINE void backward_row(D d, int64_t experts, const float* expert, const float* weights,
                             const float* gradients, float* d_expert, bool accumulate_experts,
                             float* d_weights, bool accumulate_weights) {
  constexpr int64_t hidden = kVectors * lanes<D>;
  hn::Vec<D> gradient[kConsumers][kVectors];
  HWY_UNROLL(2)
  for (int c = 0; c < kConsumers; ++c) {
    HWY_UNROLL(2)
    for (int v = 0; v < kVectors; ++v) gradient[c][v] = hn::LoadU(d, gradients + c * hidden + v * lanes<D>);
  }
  for (int64_t first = 0; first < experts; first += 4) {
    hn::Vec<D> dots[kConsumers][4];
    HWY_UNROLL(4)
    for (int e = 0; e < 4; ++e) {
      HWY_UNROLL(2)
      for (int v = 0; v < kVectors; ++v) {
        const int64_t at = (first + e) * hidden + v * lanes<D>;
        const auto value = hn::LoadU(d, expert + at);
        auto sum = accumulate_experts ? hn::LoadU(d, d_expert + at) : hn::Zero(d);
        HWY_UNROLL(2)
        for (int c = 0; c < kConsumers; ++c) {
          const auto weight = hn::Set(d, weights[c * experts + first + e]);
          sum = hn::MulAdd(weight, gradient[c][v], sum);
          dots[c][e] =
              v == 0 ? hn::Mul(gradient[c][v], value) : hn::MulAdd(gradient[c][v], value, dots[c][e]);
        }
        if constexpr (kMasks) sum = hn::IfThenZeroElse(hn::Le(value, hn::Zero(d)), sum);
        hn::StoreU(sum, d, d_expert + at);
      }
    }
    HWY_UNROLL(2)
    for (int c = 0; c < kConsumers; ++c) {
      float* to = d_weights + c * experts + first;
      const hn::CappedTag<float, 4> four;
      auto sums = four_sums(d, dots[c]);
      if (accumulate_weights) sums = hn::Add(hn::LoadU(four, to), sums);
      hn::StoreU(sums, four, to);
    }
  }
}

template <int kConsumers, int kVectors, bool kMasks, class D>
HWY_INLINE void backward_rows(D d, const MixSizes& s, ConstRows<float> experts, ConstRows<float> weights,
                              ConstRows<float> d_out, Rows<float> d_experts, bool accumulate_experts,
                              Rows<float> d_weights, bool accumulate_weights) {
  for (int64_t r = 0; r < s.rows; ++r) {
    backward_row<kConsumers, kVectors, kMasks>(
        d, s.experts, experts.data + r * experts.stride, weights.data + r * weights.stride,
        d_out.data + r * d_out.stride, d_experts.data + r * d_experts.stride, accumulate_experts,
        d_weights.data + r * d_weights.stride, accumulate_weights);
  }
}

#endif

// For sizes that four_dots does not take.
void single_dots_per_row(const MixSizes& s, ConstRows<float> experts, ConstRows<float> d_out,
                         Rows<float> d_weights, bool accumulate) {
  for (int64_t r = 0; r < s.rows; ++r) {
    for (int64_t c = 0; c < s.consumers; ++c) {
      const float* gradient = d_out.data + r * d_out.stride + c * s.hidden;
      for (int64_t e = 0; e < s.experts; ++e) {
        const float* expert = experts.data + r * experts.stride + e * s.hidden;
        const float dot = sum_over(Short(), s.hidden, [&](auto d, int64_t h) HWY_ATTR {
          return hn::Mul(hn::LoadU(d, gradient + h), hn::LoadU(d, expert + h));
        });
        float& to = d_weights.data[r * d_weights.stride + c * s.experts + e];
        to = accumulate ? to + dot : dot;
      }
    }
  }
}

void d_experts_per_row(const MixSizes& s, ConstRows<float> weights, ConstRows<float> d_out,
                       Rows<float> d_experts, bool accumulate) {
  const Steps steps{s.rows, weights.stride, d_out.stride, accumulate ? d_experts.stride : 0,
                    d_experts.stride};
  const Block block{s.consumers,
                    weights.data,
                    1,
                    s.experts,
                    d_out.data,
                    s.hidden,
                    accumulate ? d_experts.data : nothing,
                    accumulate ? s.hidden : 0,
                    d_experts.data,
                    s.hidden};
  products_per_row(s.experts, s.hidden, steps, block);
}

// values = 0 where `mask` is not positive.
void mask_rows(int64_t rows, int64_t width, ConstRows<float> mask, Rows<float> values) {
  for (int64_t r = 0; r < rows; ++r) {
    over(Wide(), width, [&](auto d, int64_t i) HWY_ATTR {
      float* to = values.data + r * values.stride + i;
      const auto is_off = hn::Le(hn::LoadU(d, mask.data + r * mask.stride + i), hn::Zero(d));
      hn::StoreU(hn::IfThenZeroElse(is_off, hn::LoadU(d, to)), d, to);
    });
  }
}

void d_weights_per_row(const MixSizes& s, ConstRows<float> experts, ConstRows<float> d_out,
                       Rows<float> d_weights, bool accumulate) {
#if HWY_TARGET != HWY_SCALAR
  if (s.experts % 4 == 0 && s.hidden % lanes<Short> == 0) {
    return dots_per_row(Short(), s, experts, d_out, d_weights, accumulate);
  }
  if (s.experts % 4 == 0 && s.hidden % 4 == 0) {
    return dots_per_row(hn::CappedTag<float, 4>(), s, experts, d_out, d_weights, accumulate);
  }
#endif
  single_dots_per_row(s, experts, d_out, d_weights, accumulate);
}

}  // namespace

void mix_float(const MixSizes& s, ConstRows<float> experts, ConstRows<float> weights, Rows<float> out) {
  const Steps steps{s.rows, weights.stride, experts.stride, 0, out.stride};
  const Block block{s.experts, weights.data, s.experts, 1,    experts.data, s.hidden, nothing,
                    0,         out.data,     s.hidden,  false};
  products_per_row(s.consumers, s.hidden, steps, block);
}

// One chain of multiply-adds per element, as above, in so little code that a first call finds it soon.
void run_mix(const RowStep& step) {
  const int64_t consumers = step.sizes[0], experts = step.sizes[1], hidden = step.sizes[2];
  for (int64_t c = 0; c < consumers; ++c) {
    const float* weights = step.inputs[1] + c * experts;
    over(Wide(), hidden, [&](auto d, int64_t i) HWY_ATTR {
      const float* expert = step.inputs[0] + i;
      auto sum = hn::Zero(d);
      for (int64_t e = 0; e < experts; ++e, expert += hidden)
        sum = hn::MulAdd(hn::Set(d, weights[e]), hn::LoadU(d, expert), sum);
      hn::StoreU(sum, d, step.output + c * hidden + i);
    });
  }
}

decltype(RowStep::run) mix_step_float() { return run_mix; }

void mix_backward_float(const MixSizes& s, ConstRows<float> experts, ConstRows<float> weights,
                        ConstRows<float> d_out, Rows<float> d_experts, bool accumulate_experts,
                        Rows<float> d_weights, bool accumulate_weights) {
#if HWY_TARGET != HWY_SCALAR
  if (d_experts.data && d_weights.data && s.experts % 4 == 0 && s.hidden == 2 * lanes<Short>) {
    const Short d;
    const auto run = [&]<int kConsumers, bool kMasks>() HWY_ATTR {
      backward_rows<kConsumers, 2, kMasks>(d, s, experts, weights, d_out, d_experts, accumulate_experts,
                                           d_weights, accumulate_weights);
    };
    if (s.consumers == 1 && s.masks_experts) return run.template operator()<1, true>();
    if (s.consumers == 1) return run.template operator()<1, false>();
    if (s.consumers == 2 && s.masks_experts) return run.template operator()<2, true>();
    if (s.consumers == 2) return run.template operator()<2, false>();
  }
#endif
  // The weights first: d_experts may lie over experts.
  if (d_weights.data) d_weights_per_row(s, experts, d_out, d_weights, accumulate_weights);
  if (d_experts.data) d_experts_per_row(s, weights, d_out, d_experts, accumulate_experts);
  if (d_experts.data && s.masks_experts) mask_rows(s.rows, s.experts * s.hidden, experts, d_experts);
}

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gatewise::kernels {
HWY_EXPORT(mix_float);
HWY_EXPORT(mix_backward_float);
HWY_EXPORT(mix_step_float);

RowStep mix_step(int64_t consumers, int64_t experts, int64_t hidden) {
  return {.run = GATEWISE_DISPATCH(mix_step_float)(), .sizes = {consumers, experts, hidden}};
}

template <class T>
void mix(const MixSizes& sizes, ConstRows<T> experts, ConstRows<T> weights, Rows<T> out) {
  if constexpr (std::is_same_v<T, float>) {
    GATEWISE_DISPATCH(mix_float)(sizes, experts, weights, out);
  } else {
    reference::mix(sizes, experts, weights, out);
  }
}

template <class T>
void mix_backward(const MixSizes& sizes, ConstRows<T> experts, ConstRows<T> weights, ConstRows<T> d_out,
                  Rows<T> d_experts, bool accumulate_experts, Rows<T> d_weights, bool accumulate_weights) {
  if constexpr (std::is_same_v<T, float>) {
    GATEWISE_DISPATCH(mix_backward_float)
    (sizes, experts, weights, d_out, d_experts, accumulate_experts, d_weights, accumulate_weights);
  } else {
    reference::mix_backward(sizes, experts, weights, d_out, d_experts, accumulate_experts, d_weights,
                            accumulate_weights);
  }
}

template void mix(const MixSizes&, ConstRows<float>, ConstRows<float>, Rows<float>);
template void mix(const MixSizes&, ConstRows<double>, ConstRows<double>, Rows<double>);
template void mix_backward(const MixSizes&, ConstRows<float>, ConstRows<float>, ConstRows<float>, Rows<float>,
                           bool, Rows<float>, bool);
template void mix_backward(const MixSizes&, ConstRows<double>, ConstRows<double>, ConstRows<double>,
                           Rows<double>, bool, Rows<double>, bool);

}  // namespace gatewise::kernels
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/row_product.cpp"
// clang-format off
#include "kernels/targets.h"
#include <hwy/foreach_target.h>
// clang-format on

#include "kernels/row_product.h"

#include "kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gatewise::kernels {
namespace HWY_NAMESPACE {

// Sums that stay in registers.
constexpr int most_vectors = 12;

template <int kVectors>
HWY_INLINE void multiply_panel_of(const RowProduct::Panel& panel, const float* HWY_RESTRICT x,
                                  float* HWY_RESTRICT y) {
  const Wide d;
  hn::Vec<Wide> sums[kVectors];
  HWY_UNROLL(12)
  for (int j = 0; j < kVectors; ++j) sums[j] = hn::LoadU(d, panel.bias + j * lanes<Wide>);
  const float* HWY_RESTRICT weights = panel.weights;
  HWY_UNROLL(1)
  for (int64_t k = panel.depth; k > 0; --k) {
    const auto left = hn::Set(d, *x++);
    HWY_UNROLL(12)
    for (int j = 0; j < kVectors; ++j)
      sums[j] = hn::MulAdd(left, hn::LoadU(d, weights + j * lanes<Wide>), sums[j]);
    weights += kVectors * lanes<Wide>;
  }
  HWY_UNROLL(12)
  for (int j = 0; j < kVectors; ++j) hn::StoreU(sums[j], d, y + j * lanes<Wide>);
}

template <int kVectors>
HWY_INLINE void multiply_panel_up_to(const RowProduct::Panel& panel, const float* x, float* y) {
  if (panel.vectors == kVectors) return multiply_panel_of<kVectors>(panel, x, y);
  if constexpr (kVectors > 1) multiply_panel_up_to<kVectors - 1>(panel, x, y);
}

// Whole vectors where there are, then the lanes in use of the last.
HWY_INLINE void put_part(const RowProduct::Part& part, const float* HWY_RESTRICT from,
                         float* HWY_RESTRICT to) {
  over(Wide(), part.columns, [&](auto d, int64_t first) HWY_ATTR {
    auto value = hn::LoadU(d, from + first);
    if (part.has_relu) value = hn::IfThenZeroElse(hn::Lt(value, hn::Zero(d)), value);
    hn::StoreU(value, d, to + first);
  });
}

void run_row_product(const RowStep& step) {
  HWY_ALIGN float y[most_vectors * lanes<Wide>];
  const auto* panels = static_cast<const RowProduct::Panel*>(step.object);
  for (int64_t i = 0; i < step.sizes[0]; ++i) {
    const RowProduct::Panel& panel = panels[i];
    multiply_panel_up_to<most_vectors>(panel, step.inputs[0] + panel.x_offset, y);
    for (int64_t j = 0; j < panel.part_count; ++j) {
      const RowProduct::Part& part = panel.parts[j];
      put_part(part, y + part.first_vector * lanes<Wide>, step.outputs[part.output] + part.output_offset);
    }
  }
}

decltype(RowStep::run) row_product_float() { return run_row_product; }
int64_t row_lanes_float() { return lanes<Wide>; }

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>

namespace gatewise::kernels {
HWY_EXPORT(row_product_float);
HWY_EXPORT(row_lanes_float);

namespace {

constexpr int64_t most_row_vectors = 12;

int64_t align_floats(int64_t count) { return (count + 15) / 16 * 16; }

}  // namespace

// A factor's vector of columns.
struct RowProduct::Column {
  size_t factor;
  int64_t first;
};

// Factors that read the same numbers share panels, which are as even as can be.
std::vector<std::vector<RowProduct::Column>> RowProduct::divide(std::span<const RowFactor> factors) const {
  std::vector<std::vector<Column>> panels;
  for (size_t first = 0, end = 0; first < factors.size(); first = end) {
    std::vector<Column> columns;
    for (end = first; end < factors.size() && factors[end].depth == factors[first].depth &&
                      factors[end].x_offset == factors[first].x_offset;
         ++end) {
      for (int64_t column = 0; column < factors[end].columns; column += lanes_)
        columns.push_back({end, column});
    }
    const auto count = static_cast<int64_t>(columns.size());
    const int64_t shares = (count + most_row_vectors - 1) / most_row_vectors;
    for (int64_t share = 0; share < shares; ++share)
      panels.emplace_back(columns.begin() + share * count / shares,
                          columns.begin() + (share + 1) * count / shares);
  }
  return panels;
}

RowProduct::RowProduct(std::span<const RowFactor> factors)
    : run_(GATEWISE_DISPATCH(row_product_float)()), lanes_(GATEWISE_DISPATCH(row_lanes_float)()) {
  const std::vector<std::vector<Column>> panels = divide(factors);
  int64_t size = 16;
  for (const std::vector<Column>& columns : panels) {
    const int64_t width = static_cast<int64_t>(columns.size()) * lanes_;
    size += align_floats(width) + align_floats(factors[columns[0].factor].depth * width);
  }
  memory_.resize(static_cast<size_t>(size));
  // From the next border of a cache line on.
  float* to = memory_.data() + (16 - reinterpret_cast<uintptr_t>(memory_.data()) / sizeof(float) % 16) % 16;
  for (const std::vector<Column>& columns : panels) to = add_panel(factors, columns, to);
  const Part* parts = parts_.data();
  for (Panel& panel : panels_) {
    panel.parts = parts;
    parts += panel.part_count;
  }
}

RowStep RowProduct::step(float* const* outputs) const {
  return {.run = run_,
          .outputs = outputs,
          .object = panels_.data(),
          .sizes = {static_cast<int64_t>(panels_.size())}};
}

// Returns where the next panel begins.
float* RowProduct::add_panel(std::span<const RowFactor> factors, const std::vector<Column>& columns,
                             float* to) {
  const RowFactor& any = factors[columns[0].factor];
  const int64_t width = static_cast<int64_t>(columns.size()) * lanes_;
  float* weights = to + align_floats(width);
  panels_.push_back({weights, to, static_cast<int32_t>(any.depth), static_cast<int32_t>(columns.size()),
                     any.x_offset, nullptr, 0});
  for (size_t j = 0; j < columns.size(); ++j) {
    const RowFactor& factor = factors[columns[j].factor];
    const int64_t first = columns[j].first, count = std::min(lanes_, factor.columns - first);
    const auto place = static_cast<int64_t>(j) * lanes_;
    if (factor.bias != nullptr) std::copy_n(factor.bias + first, count, to + place);
    for (int64_t k = 0; k < factor.depth; ++k)
      std::copy_n(factor.b + k * factor.b_stride + first, count, weights + k * width + place);
    if (j > 0 && columns[j].factor == columns[j - 1].factor) {
      parts_.back().columns += static_cast<int32_t>(count);
    } else {
      parts_.push_back({static_cast<int32_t>(j), static_cast<int32_t>(count), factor.output, factor.has_relu,
                        factor.output_offset + first});
      ++panels_.back().part_count;
    }
  }
  return weights + align_floats(any.depth * width);
}

}  // namespace gatewise::kernels
#endif

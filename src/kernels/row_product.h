// Products of a single row with matrices that lie ready for it: each number is read once and in order, and
// matrices that the same numbers are multiplied by share one walk. Results are those of multiply() in
// matmul.h, bit for bit: one chain of multiply-adds along the depth, from the bias.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/row_step.h"

namespace gatewise::kernels {

// y [columns] = activation(x [x_offset, x_offset + depth) b [depth, columns] + bias [columns]).
struct RowFactor {
  int64_t depth = 0, columns = 0;
  const float* b = nullptr;
  int64_t b_stride = 0;
  const float* bias = nullptr;  // may be null
  bool has_relu = false;
  int64_t x_offset = 0;
  int output = 0;  // which of multiply()'s outputs, and where in it, the result goes
  int64_t output_offset = 0;
};

// Whether a product keeps the order of one chain per column; one of a single long column does not.
inline bool is_row_factor(int64_t depth, int64_t columns) { return columns > 1 || depth < 32; }

class RowProduct {
 public:
  // Copies the factors, which is_row_factor() holds for.
  explicit RowProduct(std::span<const RowFactor> factors);
  RowProduct(RowProduct&&) = default;
  RowProduct(const RowProduct&) = delete;
  RowProduct& operator=(const RowProduct&) = delete;

  // The step reads inputs[0], which the caller sets, and writes to `outputs`, by RowFactor::output; both the
  // product and `outputs` must outlive it.
  RowStep step(float* const* outputs) const;

  // Some whole vectors of a panel that belong to one factor, the last of which may have unused lanes.
  struct Part {
    int32_t first_vector, columns;
    int32_t output, has_relu;
    int64_t output_offset;
  };
  // Columns of neighbouring factors side by side, as many vectors as fit the registers.
  struct Panel {
    const float* weights;  // [depth, vectors * lanes]
    const float* bias;     // [vectors * lanes]
    int32_t depth, vectors;
    int64_t x_offset;
    const Part* parts;
    int64_t part_count;
  };
  const std::vector<Panel>& panels() const { return panels_; }
  const std::vector<Part>& parts() const { return parts_; }

 private:
  struct Column;

  std::vector<std::vector<Column>> divide(std::span<const RowFactor> factors) const;
  float* add_panel(std::span<const RowFactor> factors, const std::vector<Column>& columns, float* to);

  decltype(RowStep::run) run_;
  int64_t lanes_;
  std::vector<Panel> panels_;
  std::vector<Part> parts_;
  std::vector<float> memory_;
};

}  // namespace gatewise::kernels

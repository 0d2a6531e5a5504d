#include "kernels/rows.h"

#include <limits>

#include "kernels/reference.h"
#include "tests/kernels/kernel_fixture.h"

namespace gatewise::kernels {
namespace {

class RowKernels : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(EveryInstructionSet, RowKernels, testing::ValuesIn(known_instruction_sets()),
                         level_name);

TEST_P(RowKernels, softmax_and_its_gradient_agree_with_the_reference) {
  for (const int64_t n : {1, 2, 3, 4, 6, 8, 13, 16, 37}) {
    for (const int64_t groups : {1, 2, 5}) {
      SCOPED_TRACE(fmt::format("{} groups of {}", groups, n));
      const Tile x = Tile::random(9, groups * n, 1, -20, 20), dy = Tile::random(9, groups * n, 2);
      Tile y(9, groups * n);
      softmax<float>(9, groups, n, x.all(), y.all());
      std::vector<double> expected(9 * groups * n);
      softmax<double>(9, groups, n, rows_of(x.wide(), groups * n), rows_of(expected, groups * n));
      expect_close(y, expected, 1e-6);
      Tile in_place = x;
      softmax<float>(9, groups, n, in_place.all(), in_place.all());
      EXPECT_TRUE(same_bits(in_place.row(0), y.row(0), 9 * y.stride() - 3));
      for (const bool accumulate : {false, true}) {
        Tile dx = Tile::random(9, groups * n, 3);
        std::vector<double> wide_dx = dx.wide();
        softmax_backward<float>(9, groups, n, y.all(), dy.all(), dx.all(), accumulate);
        softmax_backward<double>(9, groups, n, rows_of(y.wide(), groups * n), rows_of(dy.wide(), groups * n),
                                 rows_of(wide_dx, groups * n), accumulate);
        expect_close(dx, wide_dx, 1e-6);
      }
    }
  }
}

TEST_P(RowKernels, softmax_is_stable_and_keeps_not_a_number) {
  for (const int64_t n : {4, 8, 11}) {
    Tile x(4, n), y(4, n);
    for (int64_t i = 0; i < n; ++i) {
      x.at(0, i) = 1e30f;
      x.at(1, i) = i == 0 ? -infinity : 3.0f;
      x.at(2, i) = i == n - 1 ? not_a_number : 0.0f;
      x.at(3, i) = i == 1 ? infinity : 0.0f;
    }
    softmax<float>(4, 1, n, x.all(), y.all());
    for (int64_t i = 0; i < n; ++i) {
      EXPECT_FLOAT_EQ(y.at(0, i), 1.0f / static_cast<float>(n));
      EXPECT_FLOAT_EQ(y.at(1, i), i == 0 ? 0.0f : 1.0f / static_cast<float>(n - 1));
      EXPECT_TRUE(std::isnan(y.at(2, i)));
    }
    EXPECT_TRUE(std::isnan(y.at(3, 1)));
  }
}

TEST_P(RowKernels, mixing_and_its_gradients_agree_with_the_reference) {
  for (const int64_t consumers : {1, 2, 3, 6}) {
    for (const int64_t experts : {1, 3, 4, 8, 12}) {
      for (const int64_t hidden : {1, 5, 8, 12, 16, 20, 50}) {
        SCOPED_TRACE(fmt::format("{} consumers, {} experts of {}", consumers, experts, hidden));
        MixSizes sizes{5, consumers, experts, hidden};
        const Tile x = Tile::random(5, experts * hidden, 1), w = Tile::random(5, consumers * experts, 2);
        const Tile d_out = Tile::random(5, consumers * hidden, 3);
        Tile out(5, consumers * hidden);
        mix<float>(sizes, x.all(), w.all(), out.all());
        std::vector<double> expected(5 * consumers * hidden);
        const std::vector<double> wide_x = x.wide(), wide_w = w.wide(), wide_d_out = d_out.wide();
        mix<double>(sizes, rows_of(wide_x, x.width()), rows_of(wide_w, w.width()),
                    rows_of(expected, out.width()));
        expect_close(out, expected, 1e-6);
        for (const auto& [accumulate, masks] : {std::pair(false, false), {true, false}, {false, true}}) {
          sizes.masks_experts = masks;
          Tile dx = Tile::random(5, x.width(), 4), dw = Tile::random(5, w.width(), 5);
          std::vector<double> wide_dx = dx.wide(), wide_dw = dw.wide();
          mix_backward<float>(sizes, x.all(), w.all(), d_out.all(), dx.all(), accumulate, dw.all(),
                              !accumulate);
          mix_backward<double>(sizes, rows_of(wide_x, x.width()), rows_of(wide_w, w.width()),
                               rows_of(wide_d_out, d_out.width()), rows_of(wide_dx, x.width()), accumulate,
                               rows_of(wide_dw, w.width()), !accumulate);
          expect_close(dx, wide_dx, 2e-6);
          expect_close(dw, wide_dw, 2e-6);
        }
      }
    }
  }
}

TEST_P(RowKernels, mixing_backward_leaves_out_a_null_target) {
  const MixSizes sizes{3, 2, 8, 16};
  const Tile x = Tile::random(3, 128, 1), w = Tile::random(3, 16, 2), d_out = Tile::random(3, 32, 3);
  Tile dx(3, 128), dw(3, 16), only_dx(3, 128), only_dw(3, 16);
  mix_backward<float>(sizes, x.all(), w.all(), d_out.all(), dx.all(), false, dw.all(), false);
  mix_backward<float>(sizes, x.all(), w.all(), d_out.all(), only_dx.all(), false, {}, false);
  mix_backward<float>(sizes, x.all(), w.all(), d_out.all(), {}, false, only_dw.all(), false);
  EXPECT_TRUE(same_bits(dx.row(0), only_dx.row(0), 3 * dx.stride() - 3));
  EXPECT_TRUE(same_bits(dw.row(0), only_dw.row(0), 3 * dw.stride() - 3));
}

TEST_P(RowKernels, a_row_has_the_same_bits_alone_as_among_others) {
  const int64_t rows = 33;
  const Tile x = Tile::random(rows, 128, 1, -3, 3), w = Tile::random(rows, 16, 2),
             d_out = Tile::random(rows, 32, 3);
  Tile out(rows, 32), alone(rows, 32), dx(rows, 128), dw(rows, 16), alone_dx(rows, 128), alone_dw(rows, 16);
  Tile y(rows, 16), alone_y(rows, 16), z(rows, 128), alone_z(rows, 128), moments(rows, 16),
      alone_moments(rows, 16);
  mix<float>({rows, 2, 8, 16}, x.all(), w.all(), out.all());
  mix_backward<float>({rows, 2, 8, 16}, x.all(), w.all(), d_out.all(), dx.all(), false, dw.all(), false);
  softmax<float>(rows, 2, 8, w.all(), y.all());
  layer_norm<float>({rows, 8, 16}, x.all(), nullptr, nullptr, z.all(), moments.all());
  for (int64_t r = 0; r < rows; ++r) {
    const auto at = [r](const Tile& tile) { return ConstRows<float>(tile.row(r), tile.stride()); };
    const auto to = [r](Tile& tile) { return Rows<float>{tile.row(r), tile.stride()}; };
    mix<float>({1, 2, 8, 16}, at(x), at(w), to(alone));
    mix_backward<float>({1, 2, 8, 16}, at(x), at(w), at(d_out), to(alone_dx), false, to(alone_dw), false);
    softmax<float>(1, 2, 8, at(w), to(alone_y));
    layer_norm<float>({1, 8, 16}, at(x), nullptr, nullptr, to(alone_z), to(alone_moments));
  }
  EXPECT_TRUE(same_bits(out.row(0), alone.row(0), rows * out.stride() - 3));
  EXPECT_TRUE(same_bits(dx.row(0), alone_dx.row(0), rows * dx.stride() - 3));
  EXPECT_TRUE(same_bits(dw.row(0), alone_dw.row(0), rows * dw.stride() - 3));
  EXPECT_TRUE(same_bits(y.row(0), alone_y.row(0), rows * y.stride() - 3));
  EXPECT_TRUE(same_bits(z.row(0), alone_z.row(0), rows * z.stride() - 3));
}

TEST_P(RowKernels, binary_operations_agree_with_the_reference) {
  for (const Binary f : {Binary::Add, Binary::Subtract, Binary::Multiply, Binary::Divide}) {
    for (const int64_t width : {1, 7, 8, 31, 40}) {
      const Tile a = Tile::random(6, width, 1), b = Tile::random(6, width, 2, 0.5f, 2);
      for (const int64_t b_stride : {b.stride(), int64_t{0}}) {
        Tile y(6, width);
        binary<float>(f, 6, width, a.all(), {b.row(0), b_stride}, y.all());
        std::vector<double> expected(6 * width);
        binary<double>(f, 6, width, rows_of(a.wide(), width), {b.wide().data(), b_stride ? width : 0},
                       rows_of(expected, width));
        expect_close(y, expected, 1e-6);
      }
    }
  }
}

TEST_P(RowKernels, rows_without_gaps_are_taken_as_one) {
  const Tile a = Tile::random(6, 5, 1, -1, 1, 0), b = Tile::random(6, 5, 2, -1, 1, 0);
  Tile y(6, 5, 0);
  binary<float>(Binary::Add, 6, 5, a.all(), b.all(), y.all());
  std::vector<double> expected(30);
  binary<double>(Binary::Add, 6, 5, rows_of(a.wide(), 5), rows_of(b.wide(), 5), rows_of(expected, 5));
  expect_close(y, expected, 1e-6);
  unary<float>(Unary::Tanh, 0, 6, 5, a.all(), y.all());
  unary<double>(Unary::Tanh, 0, 6, 5, rows_of(a.wide(), 5), rows_of(expected, 5));
  expect_close(y, expected, 1e-6);
}

TEST_P(RowKernels, sums_agree_with_the_reference) {
  for (const int64_t width : {1, 3, 8, 24, 33, 71}) {
    for (const int64_t rows : {0, 1, 50}) {
      for (const bool accumulate : {false, true}) {
        const Tile x = Tile::random(rows, width, 1), y = Tile::random(rows, width, 2);
        Tile sums = Tile::random(1, width, 3), dots = sums, added = y;
        std::vector<double> wide_sums = sums.wide(), wide_dots = wide_sums, wide_added = added.wide();
        column_sums<float>(rows, width, x.all(), sums.row(0), accumulate);
        column_sums<double>(rows, width, rows_of(x.wide(), width), wide_sums.data(), accumulate);
        expect_close(sums, wide_sums, 1e-5);
        column_dots<float>(rows, width, x.all(), y.all(), dots.row(0), accumulate);
        column_dots<double>(rows, width, rows_of(x.wide(), width), rows_of(y.wide(), width), wide_dots.data(),
                            accumulate);
        expect_close(dots, wide_dots, 1e-5);
        scaled_add<float>(rows, width, 0.75f, x.all(), added.all(), accumulate);
        scaled_add<double>(rows, width, 0.75, rows_of(x.wide(), width), rows_of(wide_added, width),
                           accumulate);
        expect_close(added, wide_added, 1e-6);
      }
    }
  }
}

TEST_P(RowKernels, layer_norm_and_its_gradient_agree_with_the_reference) {
  for (const int64_t width : {1, 5, 8, 16, 43}) {
    for (const bool is_rms : {false, true}) {
      for (const bool is_scaled : {false, true}) {
        for (const int64_t scale_stride : {int64_t{0}, width}) {
          SCOPED_TRACE(
              fmt::format("width {}, rms {}, scaled {}, {}", width, is_rms, is_scaled, scale_stride));
          const NormSizes sizes{4, 3, width, scale_stride, 1e-3, is_rms};
          const Tile x = Tile::random(4, 3 * width, 1, -2, 3), dy = Tile::random(4, 3 * width, 2);
          const Tile scale = Tile::random(1, 3 * width, 3), shift = Tile::random(1, 3 * width, 4);
          const std::vector<double> wide_x = x.wide(), wide_dy = dy.wide(), wide_scale = scale.wide();
          const std::vector<double> wide_shift = shift.wide();
          Tile y(4, 3 * width), moments(4, 6), dx(4, 3 * width), d_scale = scale, d_shift = shift;
          std::vector<double> wide_y(12 * width), wide_moments(24), wide_dx(12 * width),
              wide_d_scale = wide_scale;
          std::vector<double> wide_d_shift = wide_shift;
          layer_norm<float>(sizes, x.all(), is_scaled ? scale.row(0) : nullptr,
                            is_scaled ? shift.row(0) : nullptr, y.all(), moments.all());
          layer_norm<double>(sizes, rows_of(wide_x, 3 * width), is_scaled ? wide_scale.data() : nullptr,
                             is_scaled ? wide_shift.data() : nullptr, rows_of(wide_y, 3 * width),
                             rows_of(wide_moments, 6));
          expect_close(y, wide_y, 1e-5);
          expect_close(moments, wide_moments, 1e-5);
          layer_norm_backward<float>(sizes, x.all(), is_scaled ? scale.row(0) : nullptr, moments.all(),
                                     dy.all(), dx.all(), true, is_scaled ? d_scale.row(0) : nullptr,
                                     is_scaled ? d_shift.row(0) : nullptr);
          layer_norm_backward<double>(
              sizes, rows_of(wide_x, 3 * width), is_scaled ? wide_scale.data() : nullptr,
              rows_of(wide_moments, 6), rows_of(wide_dy, 3 * width), rows_of(wide_dx, 3 * width), true,
              is_scaled ? wide_d_scale.data() : nullptr, is_scaled ? wide_d_shift.data() : nullptr);
          expect_close(dx, wide_dx, 2e-5);
          expect_close(d_scale, wide_d_scale, 2e-5);
          expect_close(d_shift, wide_d_shift, 2e-5);
        }
      }
    }
  }
}

}  // namespace
}  // namespace gatewise::kernels

#include "kernels/matmul.h"

#include <limits>

#include "base/error.h"
#include "kernels/reference.h"
#include "tests/kernels/kernel_fixture.h"

namespace gatewise::kernels {
namespace {

class Matmul : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(EveryInstructionSet, Matmul, testing::ValuesIn(known_instruction_sets()),
                         level_name);

struct Factors {
  Tile a, b, bias, c;

  Factors(int64_t rows, int64_t columns, int64_t depth)
      : a(Tile::random(rows, depth, 1)),
        b(Tile::random(depth, columns, 2)),
        bias(Tile::random(1, columns, 3)),
        c(Tile::random(rows, columns, 4)) {}

  Product<float> product(bool with_bias, bool accumulate, Activation activation) {
    return {a.rows(),   b.width(),  a.width(),  a.row(0),
            a.stride(), b.row(0),   b.stride(), with_bias ? bias.row(0) : nullptr,
            c.row(0),   c.stride(), accumulate, activation};
  }
};

std::vector<double> expected_product(const Factors& f, bool with_bias, bool accumulate,
                                     Activation activation) {
  const std::vector<double> a = f.a.wide(), b = f.b.wide(), bias = f.bias.wide();
  std::vector<double> c = f.c.wide();
  Product<double> p{f.a.rows(),  f.b.width(), f.a.width(), a.data(),
                    f.a.width(), b.data(),    f.b.width(), with_bias ? bias.data() : nullptr,
                    c.data(),    f.b.width(), accumulate,  activation};
  reference::multiply(p);
  return c;
}

TEST_P(Matmul, agrees_with_the_reference_for_every_start_and_activation) {
  for (const auto [rows, columns, depth] : {std::array<int64_t, 3>{7, 33, 5},
                                            {128, 144, 100},
                                            {1, 1, 1},
                                            {13, 1, 40},
                                            {5, 8, 16},
                                            {130, 17, 300},
                                            {250, 40, 520},
                                            {3, 100, 64},
                                            {20, 2, 9},
                                            {1, 144, 100},
                                            {2, 100, 30},
                                            {3, 530, 40},
                                            {1, 270, 520},
                                            {11, 1, 100},
                                            {40, 64, 128},
                                            {9, 10, 3},
                                            {20, 140, 1030},
                                            {5, 16400, 8},
                                            {160, 5, 1030},
                                            {14, 450, 300}}) {
    for (const bool with_bias : {false, true}) {
      for (const bool accumulate : {false, true}) {
        for (const Activation activation : {Activation::None, Activation::Relu}) {
          SCOPED_TRACE(fmt::format("{} x {} x {}", rows, columns, depth));
          Factors plain(rows, columns, depth), packed(rows, columns, depth), flipped(rows, columns, depth);
          const std::vector<double> expected = expected_product(plain, with_bias, accumulate, activation);
          multiply(plain.product(with_bias, accumulate, activation));
          expect_close(plain.c, expected, 3e-5);
          Packed<float> b;
          b.pack(depth, columns, packed.b.row(0), packed.b.stride());
          multiply(packed.product(with_bias, accumulate, activation), b);
          expect_close(packed.c, expected, 3e-5);
          Tile transposed(columns, depth);
          for (int64_t k = 0; k < depth; ++k) {
            for (int64_t j = 0; j < columns; ++j) transposed.at(j, k) = flipped.b.at(k, j);
          }
          b.pack_transposed(depth, columns, transposed.row(0), transposed.stride());
          multiply(flipped.product(with_bias, accumulate, activation), b);
          for (int64_t r = 0; r < rows; ++r) {
            ASSERT_TRUE(same_bits(plain.c.row(r), packed.c.row(r), columns));
            ASSERT_TRUE(same_bits(plain.c.row(r), flipped.c.row(r), columns));
          }
        }
      }
    }
  }
}

TEST_P(Matmul, takes_every_width_around_the_vectors) {
  for (int64_t columns = 1; columns <= 70; ++columns) {
    Factors f(11, columns, 6);
    const std::vector<double> expected = expected_product(f, true, false, Activation::None);
    multiply(f.product(true, false, Activation::None));
    expect_close(f.c, expected, 1e-5);
  }
}

TEST_P(Matmul, gives_a_row_the_same_bits_in_every_batch) {
  for (const int64_t columns : {1, 8, 23, 144}) {
    for (const int64_t depth : {16, 300}) {
      Factors all(257, columns, depth);
      multiply(all.product(true, false, Activation::Relu));
      Factors some(257, columns, depth);
      for (int64_t rows = 1; rows <= 257; ++rows) {
        for (int64_t r = 0; r < rows; ++r) std::fill_n(some.c.row(r), columns, not_a_number);
        Product<float> p = some.product(true, false, Activation::Relu);
        p.rows = rows;
        p.a = some.a.row(257 - rows);
        multiply(p);
        for (int64_t r = 0; r < rows; ++r) {
          ASSERT_TRUE(same_bits(some.c.row(r), all.c.row(257 - rows + r), columns))
              << rows << " rows, row " << r;
        }
      }
    }
  }
}

TEST_P(Matmul, adds_each_element_up_in_the_order_of_the_depth) {
  Factors f(9, 37, 600);
  multiply(f.product(true, false, Activation::None));
  const bool is_fused = GetParam() == "avx2" || GetParam() == "avx512" || GetParam() == "neon";
  for (int64_t r = 0; r < 9; ++r) {
    for (int64_t j = 0; j < 37; ++j) {
      float sum = f.bias.at(0, j);
      for (int64_t k = 0; k < 600; ++k) {
        const float product = f.a.at(r, k) * f.b.at(k, j);
        sum = is_fused ? std::fma(f.a.at(r, k), f.b.at(k, j), sum) : sum + product;
      }
      ASSERT_EQ(f.c.at(r, j), sum) << "row " << r << ", column " << j;
    }
  }
}

TEST_P(Matmul, with_no_depth_gives_the_bias) {
  Factors f(5, 19, 0);
  multiply(f.product(true, false, Activation::None));
  for (int64_t r = 0; r < 5; ++r) EXPECT_TRUE(same_bits(f.c.row(r), f.bias.row(0), 19));
  Tile before = f.c;
  multiply(f.product(false, true, Activation::None));
  for (int64_t r = 0; r < 5; ++r) EXPECT_TRUE(same_bits(f.c.row(r), before.row(r), 19));
}

TEST_P(Matmul, with_no_rows_or_columns_touches_nothing) {
  Factors f(4, 20, 5);
  const Tile before = f.c;
  Product<float> p = f.product(true, false, Activation::Relu);
  p.rows = 0;
  multiply(p);
  p.rows = 4;
  p.columns = 0;
  multiply(p);
  for (int64_t r = 0; r < 4; ++r) EXPECT_TRUE(same_bits(f.c.row(r), before.row(r), 20));
}

TEST_P(Matmul, transposed_agrees_with_the_reference) {
  for (const auto [rows, a_columns, b_columns] : {std::array<int64_t, 3>{128, 100, 144},
                                                  {1, 1, 1},
                                                  {0, 5, 7},
                                                  {33, 7, 18},
                                                  {600, 13, 1},
                                                  {128, 16, 8},
                                                  {128, 1, 8},
                                                  {64, 8, 1},
                                                  {300, 130, 70},
                                                  {700, 150, 600},
                                                  {5, 3, 31},
                                                  {300, 1, 150},
                                                  {70, 3, 200},
                                                  {128, 64, 64},
                                                  {300, 300, 64},
                                                  {40, 70, 2000},
                                                  {20, 40, 3400}}) {
    for (const bool accumulate : {false, true}) {
      SCOPED_TRACE(fmt::format("{} x {} x {}", rows, a_columns, b_columns));
      const Tile a = Tile::random(rows, a_columns, 5), b = Tile::random(rows, b_columns, 6);
      Tile c = Tile::random(a_columns, b_columns, 7);
      const std::vector<double> wide_a = a.wide(), wide_b = b.wide();
      std::vector<double> expected = c.wide();
      reference::multiply_transposed(TransposedProduct<double>{rows, a_columns, b_columns, wide_a.data(),
                                                               a_columns, wide_b.data(), b_columns,
                                                               expected.data(), b_columns, accumulate});
      multiply_transposed({rows, a_columns, b_columns, a.row(0), a.stride(), b.row(0), b.stride(), c.row(0),
                           c.stride(), accumulate});
      expect_close(c, expected, 2e-5);
    }
  }
}

TEST_P(Matmul, keeps_not_a_number_and_infinity) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Factors f(7, 35, 12);
    f.a.at(3, 4) = bad;
    multiply(f.product(true, false, Activation::None));
    for (int64_t j = 0; j < 35; ++j) {
      EXPECT_FALSE(std::isfinite(f.c.at(3, j)));
      EXPECT_TRUE(std::isfinite(f.c.at(2, j)));
      EXPECT_TRUE(std::isfinite(f.c.at(4, j)));
    }
  }
  Factors f(7, 35, 12);
  f.a.at(3, 4) = std::numeric_limits<float>::quiet_NaN();
  multiply(f.product(true, false, Activation::Relu));
  for (int64_t j = 0; j < 35; ++j) EXPECT_TRUE(std::isnan(f.c.at(3, j)));
}

TEST_P(Matmul, refuses_a_factor_packed_with_another_shape) {
  Factors f(4, 20, 5);
  Packed<float> b;
  b.pack(4, 20, f.b.row(0), f.b.stride());
  EXPECT_THROW(multiply(f.product(false, false, Activation::None), b), Error);
}

TEST(MatmulDouble, packed_and_plain_agree_exactly) {
  std::vector<double> a(7 * 5), b(5 * 19), bias(19), plain(7 * 19), packed(7 * 19);
  for (size_t i = 0; i < a.size(); ++i) a[i] = std::sin(static_cast<double>(i));
  for (size_t i = 0; i < b.size(); ++i) b[i] = std::cos(static_cast<double>(i));
  Product<double> p{
      7, 19, 5, a.data(), 5, b.data(), 19, bias.data(), plain.data(), 19, false, Activation::Relu};
  multiply(p);
  Packed<double> factor;
  factor.pack(5, 19, b.data(), 19);
  p.c = packed.data();
  multiply(p, factor);
  EXPECT_EQ(plain, packed);
  double sum = 0;
  for (int64_t k = 0; k < 5; ++k) sum += a[2 * 5 + k] * b[k * 19 + 9];
  EXPECT_DOUBLE_EQ(plain[2 * 19 + 9], std::max(sum, 0.0));
}

}  // namespace
}  // namespace gatewise::kernels

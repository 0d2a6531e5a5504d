#include <limits>

#include "kernels/reference.h"
#include "kernels/rows.h"
#include "tests/kernels/kernel_fixture.h"

namespace gatewise::kernels {
namespace {

struct Case {
  Unary f;
  double parameter;
  float low, high;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {Unary::Relu, 0, -2, 2},        {Unary::LeakyRelu, 0.01, -2, 2}, {Unary::LeakyRelu, -0.5, -2, 2},
      {Unary::Swish, 0, -30, 30},     {Unary::GeluExact, 0, -6, 6},    {Unary::GeluTanh, 0, -6, 6},
      {Unary::Tanh, 0, -30, 30},      {Unary::Sigmoid, 0, -90, 90},    {Unary::Elu, 1.5, -30, 5},
      {Unary::Softplus, 0, -40, 100}, {Unary::Exp, 0, -80, 20},        {Unary::Log, 0, 1e-6f, 100},
      {Unary::Sqrt, 0, 0.01f, 100},   {Unary::Square, 0, -5, 5},       {Unary::NormalCdf, 0, -7, 7},
      {Unary::SmoothStep, 2, -2, 2},  {Unary::SmoothStep, 0.5, -1, 1}, {Unary::Tanh, 0, -0.5, 0.5},
      {Unary::Exp, 0, -1, 1},         {Unary::Log, 0, 0.5, 2},
  };
  return all;
}

float at_level(Unary f, float x, float parameter = 0) {
  float y;
  unary<float>(f, parameter, 1, 1, {&x, 1}, {&y, 1});
  return y;
}

class UnaryKernels : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(EveryInstructionSet, UnaryKernels, testing::ValuesIn(known_instruction_sets()),
                         level_name);

TEST_P(UnaryKernels, agree_with_the_reference) {
  for (const Case& c : cases()) {
    for (const int64_t width : {1, 5, 8, 16, 257}) {
      SCOPED_TRACE(fmt::format("function {}, width {}", static_cast<int>(c.f), width));
      const Tile x = Tile::random(7, width, 1, c.low, c.high);
      Tile y(7, width);
      unary<float>(c.f, static_cast<float>(c.parameter), 7, width, x.all(), y.all());
      std::vector<double> expected(7 * width);
      unary<double>(c.f, c.parameter, 7, width, rows_of(x.wide(), width), rows_of(expected, width));
      expect_close(y, expected, 4e-7);
    }
  }
}

TEST_P(UnaryKernels, gradients_agree_with_the_reference) {
  for (const Case& c : cases()) {
    for (const int64_t width : {1, 5, 8, 19}) {
      for (const bool accumulate : {false, true}) {
        SCOPED_TRACE(fmt::format("function {}, width {}", static_cast<int>(c.f), width));
        const Tile x = Tile::random(7, width, 1, c.low, c.high), dy = Tile::random(7, width, 2);
        Tile y(7, width), dx = Tile::random(7, width, 3);
        const float parameter = static_cast<float>(c.parameter);
        unary<float>(c.f, parameter, 7, width, x.all(), y.all());
        std::vector<double> expected = dx.wide();
        unary_backward<float>(c.f, parameter, 7, width, x.all(), y.all(), dy.all(), dx.all(), accumulate);
        unary_backward<double>(c.f, c.parameter, 7, width, rows_of(x.wide(), width), rows_of(y.wide(), width),
                               rows_of(dy.wide(), width), rows_of(expected, width), accumulate);
        expect_close(dx, expected, 1e-6);
      }
    }
  }
}

TEST_P(UnaryKernels, functions_of_the_output_need_no_input) {
  for (const Unary f :
       {Unary::Relu, Unary::LeakyRelu, Unary::Tanh, Unary::Sigmoid, Unary::Exp, Unary::Sqrt, Unary::Elu}) {
    const Tile x = Tile::random(3, 11, 1, 0.1f, 2), dy = Tile::random(3, 11, 2);
    Tile y(3, 11), with(3, 11), without = dy;
    unary<float>(f, 0.5f, 3, 11, x.all(), y.all());
    unary_backward<float>(f, 0.5f, 3, 11, x.all(), y.all(), dy.all(), with.all(), false);
    unary_backward<float>(f, 0.5f, 3, 11, {}, y.all(), without.all(), without.all(), false);
    EXPECT_TRUE(same_bits(with.row(0), without.row(0), 3 * with.stride() - 3)) << static_cast<int>(f);
  }
}

// The reference's gradients against differences, so that both are not wrong together.
TEST(UnaryReference, gradients_are_the_slopes_of_the_values) {
  for (const Case& c : cases()) {
    std::mt19937 engine(5);
    std::uniform_real_distribution<double> distribution(std::max(c.low, -4.0f), std::min(c.high, 4.0f));
    for (int i = 0; i < 50; ++i) {
      const double x = distribution(engine), step = 1e-6 * std::max(0.01, std::abs(x));
      if (std::abs(x) < 1e-3) continue;
      const double y = reference::unary(c.f, c.parameter, x);
      const double rise =
          reference::unary(c.f, c.parameter, x + step) - reference::unary(c.f, c.parameter, x - step);
      const double slope = reference::slope(c.f, c.parameter, x, y);
      EXPECT_NEAR(slope, rise / (2 * step), 2e-5 * std::max(1.0, std::abs(slope)))
          << static_cast<int>(c.f) << " at " << x;
    }
  }
}

TEST_P(UnaryKernels, normal_distribution_follows_the_error_function_to_1e_7) {
  const int64_t count = 20001;
  Tile x(1, count), y(1, count);
  for (int64_t i = 0; i < count; ++i) x.at(0, i) = static_cast<float>(static_cast<double>(i - 10000) * 1e-3);
  unary<float>(Unary::NormalCdf, 0, 1, count, x.all(), y.all());
  for (int64_t i = 0; i < count; ++i) {
    ASSERT_NEAR(y.at(0, i), 0.5 * (1 + std::erf(static_cast<double>(x.at(0, i)) / std::sqrt(2.0))), 1e-7)
        << x.at(0, i);
  }
}

TEST_P(UnaryKernels, exponential_and_logarithm_are_accurate_to_a_few_units) {
  const int64_t count = 10001;
  Tile x(1, count), y(1, count);
  for (int64_t i = 0; i < count; ++i)
    x.at(0, i) = static_cast<float>(-87 + 175.0 * static_cast<double>(i) / count);
  unary<float>(Unary::Exp, 0, 1, count, x.all(), y.all());
  for (int64_t i = 0; i < count; ++i) {
    const double want = std::exp(static_cast<double>(x.at(0, i)));
    ASSERT_NEAR(y.at(0, i) / want, 1, 3e-7) << x.at(0, i);
  }
  unary<float>(Unary::Log, 0, 1, count, y.all(), x.all());
  for (int64_t i = 0; i < count; ++i) {
    const double want = std::log(static_cast<double>(y.at(0, i)));
    ASSERT_NEAR(x.at(0, i), want, 3e-7 * std::max(1.0, std::abs(want))) << y.at(0, i);
  }
}

TEST_P(UnaryKernels, every_function_keeps_not_a_number) {
  for (const Case& c : cases()) {
    EXPECT_TRUE(std::isnan(at_level(c.f, not_a_number, static_cast<float>(c.parameter))))
        << static_cast<int>(c.f);
  }
}

TEST_P(UnaryKernels, limits_are_those_of_the_functions) {
  EXPECT_EQ(at_level(Unary::Exp, infinity), infinity);
  EXPECT_EQ(at_level(Unary::Exp, 1000), infinity);
  EXPECT_EQ(at_level(Unary::Exp, -infinity), 0);
  EXPECT_EQ(at_level(Unary::Exp, -1000), 0);
  EXPECT_EQ(at_level(Unary::Log, 0), -infinity);
  EXPECT_EQ(at_level(Unary::Log, infinity), infinity);
  EXPECT_TRUE(std::isnan(at_level(Unary::Log, -1)));
  EXPECT_TRUE(std::isnan(at_level(Unary::Sqrt, -1)));
  EXPECT_EQ(at_level(Unary::Tanh, infinity), 1);
  EXPECT_EQ(at_level(Unary::Tanh, -infinity), -1);
  EXPECT_EQ(at_level(Unary::Sigmoid, infinity), 1);
  EXPECT_EQ(at_level(Unary::Sigmoid, -infinity), 0);
  EXPECT_EQ(at_level(Unary::Softplus, infinity), infinity);
  EXPECT_EQ(at_level(Unary::Softplus, -infinity), 0);
  EXPECT_EQ(at_level(Unary::Elu, -infinity, 2), -2);
  EXPECT_EQ(at_level(Unary::Elu, infinity, 2), infinity);
  EXPECT_EQ(at_level(Unary::NormalCdf, infinity), 1);
  EXPECT_EQ(at_level(Unary::NormalCdf, -infinity), 0);
  EXPECT_EQ(at_level(Unary::Relu, infinity), infinity);
  EXPECT_EQ(at_level(Unary::Relu, -infinity), 0);
  EXPECT_EQ(at_level(Unary::SmoothStep, 0, 3), 0.5f);
  EXPECT_EQ(at_level(Unary::SmoothStep, 1.5f, 3), 1);
  EXPECT_EQ(at_level(Unary::SmoothStep, -1.5f, 3), 0);
}

}  // namespace
}  // namespace gatewise::kernels

#include "kernels/optimisers.h"

#include "kernels/reference_optimisers.h"
#include "tests/kernels/kernel_fixture.h"

namespace gatewise::kernels {
namespace {

class Optimisers : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(EveryInstructionSet, Optimisers, testing::ValuesIn(known_instruction_sets()),
                         level_name);

// Three steps of `step(scalar, parameters, gradients, state, state, number of the step)` in float and in
// double.
template <class Step>
void expect_same_path(const Step& step) {
  for (const int64_t count : {1, 7, 64, 133}) {
    Tile parameters = Tile::random(1, count, 1), first(1, count), second(1, count);
    std::vector<double> wide = parameters.wide(), wide_first(count), wide_second(count);
    for (int64_t number = 1; number <= 3; ++number) {
      const Tile gradients = Tile::random(1, count, static_cast<unsigned>(10 + number));
      step(count, parameters.row(0), gradients.row(0), 0.5f, first.row(0), second.row(0), number);
      step(count, wide.data(), gradients.wide().data(), 0.5, wide_first.data(), wide_second.data(), number);
    }
    expect_close(parameters, wide, 2e-6);
    expect_close(first, wide_first, 2e-6);
    expect_close(second, wide_second, 2e-6);
  }
}

TEST_P(Optimisers, sgd_agrees_with_the_reference) {
  for (const double momentum : {0.0, 0.9}) {
    for (const bool nesterov : {false, true}) {
      expect_same_path(
          [&](int64_t count, auto* p, const auto* g, auto scale, auto* state, auto*, int64_t number) {
            sgd(SgdStep{0.1, momentum, 0.01, nesterov, number == 1}, count, p, g, scale, state);
          });
    }
  }
}

TEST_P(Optimisers, adagrad_agrees_with_the_reference) {
  expect_same_path([](int64_t count, auto* p, const auto* g, auto scale, auto* sums, auto*, int64_t) {
    adagrad(AdagradStep{0.1, 1e-6, 0.01}, count, p, g, scale, sums);
  });
}

TEST_P(Optimisers, adagrad_of_table_rows_is_adagrad_of_each_row) {
  constexpr int64_t stride = 24, table_rows = 100;
  for (const int64_t width : {1, 8, 20}) {
    std::vector<uint32_t> ids;
    for (uint32_t id = 3; id < table_rows; id += 1 + id % 3) ids.push_back(id);
    const auto count = static_cast<int64_t>(ids.size());
    const Tile gradients = Tile::random(1, count * width, 1);
    Tile parameters = Tile::random(1, table_rows * stride, 2),
         sums = Tile::random(1, table_rows * stride, 3, 1, 2);
    Tile expected = parameters, expected_sums = sums;
    const AdagradStep step{0.1, 1e-6, 0.01};
    adagrad_rows(step, TableRows{count, width, ids.data(), stride}, parameters.row(0), gradients.row(0), 0.5f,
                 sums.row(0));
    for (int64_t i = 0; i < count; ++i) {
      adagrad(step, width, expected.row(0) + ids[i] * stride, gradients.row(0) + i * width, 0.5f,
              expected_sums.row(0) + ids[i] * stride);
    }
    EXPECT_TRUE(same_bits(parameters.row(0), expected.row(0), table_rows * stride));
    EXPECT_TRUE(same_bits(sums.row(0), expected_sums.row(0), table_rows * stride));
  }
}

TEST_P(Optimisers, adam_agrees_with_the_reference) {
  for (const bool is_decoupled : {false, true}) {
    expect_same_path([&](int64_t count, auto* p, const auto* g, auto scale, auto* first, auto* second,
                         int64_t number) {
      adam(AdamStep{0.01, 0.9, 0.999, 1e-6, 0.1, is_decoupled, number}, count, p, g, scale, first, second);
    });
  }
}

TEST_P(Optimisers, squared_norm_is_summed_in_double) {
  for (const int64_t count : {0, 1, 5, 16, 100003}) {
    const Tile values = Tile::random(1, count, 1, 1, 2);
    double expected = 0;
    for (const double v : values.wide()) expected += v * v;
    EXPECT_NEAR(squared_norm(count, values.row(0)), expected, 1e-12 * expected);
    EXPECT_DOUBLE_EQ(squared_norm(count, values.wide().data()), expected);
  }
}

// First steps worked out by hand from the published formulas, with rate 0.1.
TEST(OptimisersReference, take_the_steps_of_the_published_formulas) {
  double p = 1, first = 0, second = 0;
  const double g = 0.5;
  adam(AdamStep{0.1, 0.9, 0.999, 1e-8, 0, false, 1}, 1, &p, &g, 1.0, &first, &second);
  EXPECT_NEAR(p, 1 - 0.1 * 0.5 / (0.5 + 1e-8), 1e-12);
  adam(AdamStep{0.1, 0.9, 0.999, 1e-8, 0, false, 2}, 1, &p, &g, 1.0, &first, &second);
  EXPECT_NEAR(p, 1 - 0.2 * 0.5 / (0.5 + 1e-8), 1e-12);

  p = 1, first = second = 0;
  adam(AdamStep{0.1, 0.9, 0.999, 1e-8, 0.2, true, 1}, 1, &p, &g, 1.0, &first, &second);
  EXPECT_NEAR(p, (1 - 0.1 * 0.2) - 0.1, 1e-8);

  p = 1, first = second = 0;
  adam(AdamStep{0.1, 0.9, 0.999, 1e-8, 0.2, false, 1}, 1, &p, &g, 1.0, &first, &second);
  EXPECT_NEAR(first, 0.1 * (0.5 + 0.2), 1e-12);

  p = 1;
  double sums = 0;
  adagrad(AdagradStep{0.1, 0, 0}, 1, &p, &g, 1.0, &sums);
  EXPECT_NEAR(p, 0.9, 1e-12);
  adagrad(AdagradStep{0.1, 0, 0}, 1, &p, &g, 1.0, &sums);
  EXPECT_NEAR(p, 0.9 - 0.1 / std::sqrt(2.0), 1e-12);

  p = 1;
  double momentum = 99;
  sgd(SgdStep{0.1, 0.9, 0, false, true}, 1, &p, &g, 1.0, &momentum);
  EXPECT_NEAR(p, 0.95, 1e-12);
  sgd(SgdStep{0.1, 0.9, 0, true, false}, 1, &p, &g, 1.0, &momentum);
  EXPECT_NEAR(momentum, 0.95, 1e-12);
  EXPECT_NEAR(p, 0.95 - 0.1 * (0.5 + 0.9 * 0.95), 1e-12);
}

}  // namespace
}  // namespace gatewise::kernels

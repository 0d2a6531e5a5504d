#include "kernels/row_product.h"

#include "kernels/matmul.h"
#include "tests/kernels/kernel_fixture.h"

namespace gatewise::kernels {
namespace {

class RowProducts : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(EveryInstructionSet, RowProducts, testing::ValuesIn(known_instruction_sets()),
                         level_name);

struct FactorCase {
  int64_t depth, columns, x_offset;
  bool has_bias, has_relu;
};

// Each factor alone by multiply(), whose order of additions is promised.
void expect_products(const std::vector<FactorCase>& cases) {
  Tile x = Tile::random(1, 700, 1);
  std::vector<Tile> weights, biases, outputs, expected;
  for (const FactorCase& factor : cases) {
    const auto seed = static_cast<unsigned>(weights.size());
    weights.push_back(Tile::random(factor.depth, factor.columns, 10 + seed));
    biases.push_back(Tile::random(1, factor.columns, 50 + seed));
    outputs.emplace_back(2, factor.columns, 5);  // the second row shows what is written beyond the first
    expected.emplace_back(1, factor.columns);
  }
  std::vector<RowFactor> factors;
  std::vector<float*> places;
  for (size_t i = 0; i < cases.size(); ++i) {
    const FactorCase& from = cases[i];
    const float* bias = from.has_bias ? biases[i].row(0) : nullptr;
    factors.push_back({from.depth, from.columns, weights[i].row(0), weights[i].stride(), bias, from.has_relu,
                       from.x_offset, static_cast<int>(i), 0});
    places.push_back(outputs[i].row(0));
    Product<float> product{.rows = 1, .columns = from.columns, .depth = from.depth};
    product.a = x.row(0) + from.x_offset;
    product.b = weights[i].row(0);
    product.b_stride = weights[i].stride();
    product.bias = bias;
    product.c = expected[i].row(0);
    product.activation = from.has_relu ? Activation::Relu : Activation::None;
    multiply(product);
  }
  const RowProduct product(factors);
  weights.clear();  // it keeps its own copy
  RowStep step = product.step(places.data());
  step.inputs[0] = x.row(0);
  step.run(step);
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_TRUE(same_bits(outputs[i].row(0), expected[i].row(0), cases[i].columns)) << "factor " << i;
    EXPECT_EQ(outputs[i].wide().back(), 0) << "factor " << i;
    EXPECT_TRUE(outputs[i].gaps_are_intact()) << "factor " << i;
  }
}

TEST_P(RowProducts, have_the_bits_of_multiply) {
  for (const int64_t columns : {1, 2, 7, 8, 15, 16, 17, 64, 144, 200, 700}) {
    SCOPED_TRACE(columns);
    expect_products({{20, columns, 0, true, false}});
    expect_products({{20, columns, 3, false, true}});
    if (is_row_factor(300, columns)) expect_products({{300, columns, 5, true, true}});
  }
  expect_products({{1, 1, 0, true, false}});
}

TEST_P(RowProducts, of_several_factors_are_those_of_each) {
  expect_products({{100, 16, 0, true, false}, {100, 128, 0, true, true}, {100, 5, 0, false, true}});
  expect_products({{16, 8, 0, true, true}, {16, 8, 16, true, true}, {7, 30, 16, false, false}});
  expect_products({{60, 250, 0, true, true}, {60, 3, 0, true, false}, {31, 1, 60, true, true}});
}

}  // namespace
}  // namespace gatewise::kernels

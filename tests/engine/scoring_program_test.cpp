#include "engine/scoring_program.h"

#include "base/error.h"
#include "graph/ops.h"
#include "tests/base/message_of.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

std::shared_ptr<const ScoringProgram> program_of(const Store<float>& store) {
  return std::make_shared<const ScoringProgram>(store);
}

TEST(ScoringProgram, OutputsThatDependOnOtherRowsAreRefused) {
  Graph graph;
  const Var x = graph.input("x", Shape{3});
  graph.add_output("y", subtract(x, row_mean(x)));
  Store<float> store(graph);
  store.initialise(1);
  EXPECT_THAT(message_of([&] { program_of(store); }), HasSubstr("depend on the other rows of a batch"));
}

TEST(ScoringProgram, ValuesThatOnlyTrainingGivesAreRefused) {
  Graph graph;
  const Var x = graph.input("x", Shape{3});
  graph.add_output("y", multiply(x, graph.scalar("temperature")));
  Store<float> store(graph);
  store.initialise(1);
  EXPECT_THAT(message_of([&] { program_of(store); }), HasSubstr("\"temperature\""));
}

TEST(ScoringProgram, BatchesOfDifferentSizesFollowEachOther) {
  Graph graph;
  const Var x = graph.input("x", Shape{2});
  const Var weight = graph.parameter("weight", Shape{2, 3}, Initializer::normal(1));
  graph.add_output("y", linear(x, weight, Var()));
  Store<float> store(graph);
  store.initialise(1);
  const std::vector<float> w = store.get("weight");
  ScoringRun run(program_of(store));
  for (const int64_t rows : {1, 300, 2, 1000, 1}) {
    std::vector<float> values(rows * 2);
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7) - 3.0f;
    const ScoringInput input{{values.data(), 2}, {}};
    run.forward(rows, std::span(&input, 1));
    const ConstRows<float> y = run.value(graph.find("y"));
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t i = 0; i < 3; ++i) {
        const double expected = static_cast<double>(values[row * 2]) * static_cast<double>(w[i]) +
                                static_cast<double>(values[row * 2 + 1]) * static_cast<double>(w[3 + i]);
        ASSERT_NEAR(y.data[row * y.stride + i], expected, 1e-5);
      }
    }
  }
}

}  // namespace
}  // namespace gatewise

// A row's prediction is the same whatever computes it and whatever rows stand beside it: a program for whole
// batches, or a run that is prepared once, for all rows together or one by one.
#include "engine/scoring_program.h"
#include "tests/contract/scoring_cases.h"

namespace gatewise {
namespace {

class EveryModel : public testing::TestWithParam<ScoringCase> {};

// The rows [first, first + rows) of a feed as inputs of a run.
struct Inputs {
  std::vector<std::vector<float>> values;
  std::vector<ScoringInput> list;

  Inputs(const ScoringProgram& program, const Feed& feed, int64_t first) {
    for (const int node : program.inputs()) {
      ScoringInput& input = list.emplace_back();
      if (const auto ids = feed.ids.find(node); ids != feed.ids.end()) {
        const bool is_bag = !ids->second.offsets.empty();
        input.ids = {ids->second.ids.data() + (is_bag ? 0 : first), 1,
                     is_bag ? ids->second.offsets.data() + first : nullptr, nullptr};
        continue;
      }
      const std::vector<double>& given = feed.inputs.at(node);
      const std::vector<float>& kept = values.emplace_back(given.begin(), given.end());
      const int64_t width = program.graph().node(node).signature.shape.elements();
      input.values = {kept.data() + first * width, width};
    }
  }
};

std::vector<float> row_of(ConstRows<float> rows, int64_t row, int64_t width) {
  return {rows.data + row * rows.stride, rows.data + row * rows.stride + width};
}

TEST_P(EveryModel, ScoresARowTheSameHoweverItIsAsked) {
  const FeatureSpace space = space_of(GetParam());
  const std::unique_ptr<Graph> graph = build_graph(space, GetParam().model);
  constexpr int64_t rows = 300;
  Feed feed = feed_for(*graph, space, rows);
  feed.run.is_training = false;
  GraphRun<float> expected(*graph, feed, {.is_training = false}, 2);
  expected.forward();
  const auto program = std::make_shared<const ScoringProgram>(expected.store());
  ScoringRun together(program), alone(program);
  const Inputs all(*program, feed, 0);
  together.forward(rows, all.list);
  for (const auto& [name, node] : graph->outputs()) {
    const int64_t width = graph->node(node).signature.shape.elements();
    const std::vector<float> values = expected.value(node);
    for (int64_t row = 0; row < rows; ++row) {
      const std::vector<float> wanted(values.begin() + row * width, values.begin() + (row + 1) * width);
      ASSERT_TRUE(same_bits(row_of(together.value(node), row, width), wanted)) << name << ", row " << row;
      if (row % 23 != 0) continue;
      alone.forward(1, Inputs(*program, feed, row).list);
      ASSERT_TRUE(same_bits(row_of(alone.value(node), 0, width), wanted)) << name << ", row " << row;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryModel, testing::ValuesIn(all_cases()),
                         [](const auto& scoring_case) { return scoring_case.param.name; });

}  // namespace
}  // namespace gatewise

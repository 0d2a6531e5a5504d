// Statistics of experts and gates against numbers known by hand.
#include "diagnosis/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "diagnosis/judge.h"
#include "diagnosis/rows.h"
#include "tests/training/sample_data.h"

namespace gatewise {
namespace {

// Two experts of two units on `rows` rows by outputs(row, expert, unit), without a gate.
template <class Outputs>
WatchedLevel level_of(int64_t rows, int64_t experts, const Outputs& outputs) {
  WatchedLevel level;
  level.name = "experts";
  level.hidden = 2;
  for (int64_t expert = 0; expert < experts; ++expert)
    level.experts.push_back({"experts/" + std::to_string(expert), ""});
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t expert = 0; expert < experts; ++expert) {
      for (int64_t unit = 0; unit < 2; ++unit)
        level.outputs.push_back(static_cast<float>(outputs(row, expert, unit)));
    }
  }
  return level;
}

double noise(int64_t row, uint32_t element) {
  return RandomStream(1, "noise").normal(0, static_cast<uint64_t>(row), element);
}

WatchedGate gate_of(std::vector<int> sees, const std::vector<std::vector<float>>& weights) {
  WatchedGate gate;
  gate.name = "gates/a";
  gate.task = "a";
  gate.sees = std::move(sees);
  for (size_t row = 0; row < weights.size(); ++row) {
    gate.rows.push_back(static_cast<int64_t>(row));
    gate.weights.insert(gate.weights.end(), weights[row].begin(), weights[row].end());
  }
  return gate;
}

TEST(ExpertStatistics, CountZerosDeadAndRepeatedUnitsAndScale) {
  // The first expert: a dead unit beside one that is 0 on even rows and 2 on odd ones. The second: two units
  // alike.
  const WatchedLevel level = level_of(10, 2, [](int64_t row, int64_t expert, int64_t unit) {
    if (expert == 1) return static_cast<double>(row) - 4.5;
    return unit == 0 ? 0.0 : row % 2 == 1 ? 2.0 : 0.0;
  });
  const LevelStatistics found = measure_level(level, 0, 10, true);
  EXPECT_DOUBLE_EQ(found.experts[0].zero_share, 0.75);
  EXPECT_DOUBLE_EQ(found.experts[0].scale, 0.5);
  EXPECT_DOUBLE_EQ(found.experts[0].mean, 0.5);
  EXPECT_EQ(found.experts[0].dead_units, 1);
  EXPECT_EQ(found.experts[0].identical_units, 0);
  EXPECT_EQ(found.experts[0].unit_zero_shares, (std::vector<double>{1, 0.5}));
  EXPECT_EQ(found.experts[1].identical_units, 1);
  EXPECT_NEAR(found.experts[1].mean, 0, 1e-9);
  EXPECT_NEAR(found.experts[1].effective_rank, 1, 1e-6);
  int64_t counted = 0;
  for (const int64_t count : found.experts[1].histogram) counted += count;
  EXPECT_EQ(counted, 20);
  EXPECT_DOUBLE_EQ(measure_level(level, 0, 1, false).experts[0].zero_share, 1);
}

TEST(ExpertStatistics, RankOfIndependentUnitsIsTheirNumber) {
  const WatchedLevel level = level_of(4000, 1, [](int64_t row, int64_t, int64_t unit) {
    return 3 + noise(row, static_cast<uint32_t>(unit));
  });
  EXPECT_NEAR(measure_level(level, 0, 4000, true).experts[0].effective_rank, 2, 0.01);
}

TEST(ExpertStatistics, SaturatedAreOutputsAtTheBoundsOfTheActivation) {
  WatchedLevel level = level_of(8, 1, [](int64_t row, int64_t, int64_t unit) {
    return unit == 0 ? 0.9999 : row < 4 ? -0.9999 : 0.5;
  });
  EXPECT_DOUBLE_EQ(measure_level(level, 0, 8, false).experts[0].saturated_share, 0);
  level.low = -1;
  level.high = 1;
  EXPECT_DOUBLE_EQ(measure_level(level, 0, 8, false).experts[0].saturated_share, 0.75);
}

TEST(ExpertStatistics, AreOfRowsOnWhichSomebodyListens) {
  WatchedLevel level = level_of(4, 2, [](int64_t row, int64_t, int64_t) { return row < 2 ? 1.0 : 0.0; });
  level.gates = {gate_of({1, 0}, {{1, 0}, {1, 0}, {0, 1}, {0.5, 0.5}})};
  const LevelStatistics found = measure_level(level, 0, 4, true);
  EXPECT_EQ(found.experts[0].rows, 2);
  EXPECT_DOUBLE_EQ(found.experts[0].zero_share, 1);
  EXPECT_EQ(found.experts[1].rows, 3);
  EXPECT_NEAR(found.experts[1].zero_share, 1.0 / 3, 1e-12);
}

TEST(ExpertSimilarity, SeesThroughRotationAndScaleAndTellsOthersApart) {
  const WatchedLevel level = level_of(3000, 3, [](int64_t row, int64_t expert, int64_t unit) {
    const double a = noise(row, 0), b = noise(row, 1);
    if (expert == 0) return unit == 0 ? a : b;
    if (expert == 1) return 7 + (unit == 0 ? 3 * (a + b) : 3 * (a - b));
    return noise(row, 2 + static_cast<uint32_t>(unit));
  });
  const auto similarity = expert_similarity(level);
  EXPECT_NEAR(similarity[0][1], 1, 1e-5);
  EXPECT_LT(similarity[0][2], 0.01);
  EXPECT_DOUBLE_EQ(similarity[2][2], 1);
}

TEST(GateStatistics, GiveMeansLeadersAndExpertsInUse) {
  WatchedLevel level = level_of(4, 3, [](int64_t, int64_t, int64_t) { return 1.0; });
  level.gates = {gate_of({2, 0}, {{1, 0}, {0.5, 0.5}, {0.75, 0.25}, {0, 0}})};
  const GateStatistics found = measure_level(level, 0, 4, false).gates[0];
  EXPECT_EQ(found.weights, (std::vector<double>{0.5625, 0.1875}));
  EXPECT_EQ(found.leads, (std::vector<double>{0.75, 0}));
  const double of_third = -0.75 * std::log(0.75) - 0.25 * std::log(0.25);
  EXPECT_NEAR(found.entropy, (std::log(2) + of_third) / 4, 1e-6);
  EXPECT_NEAR(found.effective_experts, (1 + 2 + std::exp(of_third) + 1) / 4, 1e-6);
}

TEST(GateSimilarity, IsTheOverlapOverAllExpertsOfTheLevel) {
  WatchedLevel level = level_of(2, 3, [](int64_t, int64_t, int64_t) { return 1.0; });
  level.gates = {gate_of({0, 1}, {{1, 0}, {0.5, 0.5}}), gate_of({1, 2}, {{1, 0}, {0.5, 0.5}})};
  EXPECT_NEAR(gate_similarity(level)[0][1], 0.25, 1e-9);
  EXPECT_EQ(gate_similarity(level)[1][1], 1);
  level.gates[1].rows = {1, 2};
  EXPECT_TRUE(gate_similarity(level).empty());
}

TEST(PermutedColumn, HandsAroundOneColumnAndPutsItBack) {
  const FeatureSpace space = sample_space({make_task("a", "binary")});
  EncodedData data = sample_rows(space, 50);
  const EncodedData before = data;
  {
    const PermutedColumn numbers(data, PermutedColumn::Kind::Numeric, 1, 3, 5);
    const PermutedColumn ids(data, PermutedColumn::Kind::Id, 1, 1, 5);
    const PermutedColumn bag(data, PermutedColumn::Kind::Bag, 0, 1, 5);
    EXPECT_NE(data.numeric, before.numeric);
    EXPECT_NE(data.ids, before.ids);
    EXPECT_NE(data.bags[0].ids, before.bags[0].ids);
    for (int64_t row = 0; row < data.rows; ++row) {
      EXPECT_EQ(data.numeric[row * 4], before.numeric[row * 4]);
      EXPECT_EQ(data.ids[row * 2], before.ids[row * 2]);
    }
    std::vector<float> sorted = data.numeric, expected = before.numeric;
    std::sort(sorted.begin(), sorted.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(sorted, expected);
    EXPECT_EQ(data.bags[0].ids.size(), before.bags[0].ids.size());
  }
  EXPECT_EQ(data.numeric, before.numeric);
  EXPECT_EQ(data.ids, before.ids);
  EXPECT_EQ(data.bags[0].ids, before.bags[0].ids);
  EXPECT_EQ(data.bags[0].offsets, before.bags[0].offsets);
}

TEST(TaskFacts, TellASpreadFarSmallerThanTheMean) {
  FeatureSpace space = sample_space({make_task("moment", "regression")});
  space.tasks[0].scaling = Scaling::fit(std::vector<double>{1.7e9 - 3, 1.7e9 + 3}, "standardise", 0, false);
  EncodedData rows = sample_rows(space, 4);
  rows.labels = {-1, 1, -1, 1};
  const std::vector<ValueList> predictions{std::vector{1.7e9 - 1, 1.7e9 + 1, 1.7e9 - 1, 1.7e9 + 1}};
  const TaskFacts facts = task_facts(space, rows, predictions, {})[0];
  EXPECT_NEAR(facts.label_deviation, 3, 1e-6);
  EXPECT_NEAR(facts.prediction_deviation, 1, 1e-6);
  EXPECT_NEAR(facts.main, 1 - 4.0 / 9, 1e-6);
}

// A row of weight 3 counts as three, one of weight 0 not at all.
TEST(TaskFacts, WeighRowsAsMetricsDo) {
  const FeatureSpace space = sample_space({make_task("click", "binary")});
  EncodedData rows = sample_rows(space, 4), repeated = sample_rows(space, 5);
  rows.labels = {1, 0, 1, 1};
  rows.weights = {3, 1, 0, 1};
  repeated.labels = {1, 1, 1, 0, 1};
  const TaskFacts facts = task_facts(space, rows, {std::vector{0.5, 0.25, 0.9, 0.75}}, {})[0];
  const TaskFacts expected = task_facts(space, repeated, {std::vector{0.5, 0.5, 0.5, 0.25, 0.75}}, {})[0];
  EXPECT_EQ(facts.labels, 3);
  EXPECT_EQ(facts.informative, 1);
  EXPECT_DOUBLE_EQ(facts.label_mean, expected.label_mean);
  EXPECT_DOUBLE_EQ(facts.label_deviation, expected.label_deviation);
  EXPECT_DOUBLE_EQ(facts.prediction_mean, expected.prediction_mean);
  EXPECT_DOUBLE_EQ(facts.prediction_deviation, expected.prediction_deviation);
}

}  // namespace
}  // namespace gatewise

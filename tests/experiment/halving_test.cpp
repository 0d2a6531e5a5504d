#include "experiment/halving.h"

#include <gtest/gtest.h>

namespace gatewise {
namespace {

TEST(Halving, KeepsTheBestShareOfEveryEpoch) {
  // Costs after each of 9 epochs: trial i costs 10 - i at first and i in the end.
  std::vector<CostCurve> curves;
  for (int i = 0; i < 7; ++i) curves.push_back({10.0 - i, 9, 4.0 + i, 3, 2, 2, 2, 2, 1.0 * i});
  const std::vector<Rung> rungs = rungs_of(curves, std::vector<bool>(7, false), 3, 1, 10);
  ASSERT_EQ(rungs.size(), 3u);
  EXPECT_EQ(rungs[0].epoch, 1);
  EXPECT_EQ(rungs[0].largest_cost, 6) << "the third best of 7: ceil(7 / 3)";
  EXPECT_EQ(rungs[1].epoch, 3);
  EXPECT_EQ(rungs[1].largest_cost, 6);
  EXPECT_EQ(rungs[2].epoch, 9);
  EXPECT_EQ(rungs[2].largest_cost, 2);
}

TEST(Halving, EndsNothingWhileThereAreFewTrials) {
  EXPECT_TRUE(rungs_of({{1, 1}, {2, 2}}, {false, false}, 3, 1, 9).empty());
  EXPECT_TRUE(rungs_of({}, {}, 3, 1, 9).empty());
}

TEST(Halving, HasNoRungAtTheEndOfTraining) {
  const std::vector<CostCurve> curves(4, CostCurve{3, 2, 1});
  EXPECT_TRUE(rungs_of(curves, std::vector<bool>(4, false), 2, 3, 3).empty());
  EXPECT_EQ(rungs_of(curves, std::vector<bool>(4, false), 2, 1, 3).size(), 2u);
}

TEST(Halving, CountsTrialsThatEndedByThemselvesAtLaterRungsAndCutOnesNot) {
  const std::vector<CostCurve> curves{{5, 5, 5, 5}, {4, 4, 4, 4}, {1}};
  const std::vector<Rung> with = rungs_of(curves, {false, false, false}, 2, 4, 9);
  ASSERT_EQ(with.size(), 2u);
  EXPECT_EQ(with[0].largest_cost, 4);
  const std::vector<Rung> without = rungs_of(curves, {false, false, true}, 2, 4, 9);
  ASSERT_EQ(without.size(), 2u);
  EXPECT_EQ(without[0].largest_cost, 4);
  EXPECT_EQ(rungs_of({{5, 5}, {4, 4}, {3, 3}, {6}, {}}, {false, false, true, false, false}, 2, 4, 9)[0]
                .largest_cost,
            5)
      << "the second of the three that were not cut";
}

}  // namespace
}  // namespace gatewise

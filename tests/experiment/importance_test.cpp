#include "experiment/importance.h"

#include <gtest/gtest.h>

#include "experiment/quasi_random.h"

namespace gatewise {
namespace {

std::vector<Observation> observe(const SearchSpace& space,
                                 const std::function<double(const Point&)>& function) {
  std::vector<Observation> observations;
  for (uint64_t i = 0; i < 80; ++i) {
    const Point point = space.from_unit(quasi_random_point(1, i, space.size()));
    observations.push_back({point, function(point)});
  }
  return observations;
}

TEST(Importance, FindsTheSharesOfASumOfTerms) {
  const SearchSpace space(
      {Dimension::number("a", 0, 1), Dimension::number("b", 0, 1), Dimension::number("c", 0, 1)});
  // Variances 4 / 12 and 1 / 12: shares of 0.8, 0.2 and nothing.
  const std::vector<Importance> found =
      importances(space, observe(space, [](const Point& x) { return 2 * x[0] + x[1]; }), 1);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_NEAR(found[0].alone, 0.8, 0.06);
  EXPECT_NEAR(found[0].in_all, 0.8, 0.06);
  EXPECT_NEAR(found[1].in_all, 0.2, 0.06);
  EXPECT_NEAR(found[2].in_all, 0, 0.01);
}

TEST(Importance, TellsInteractionsFromWhatAnOptionDoesAlone) {
  const SearchSpace space({Dimension::number("a", -1, 1), Dimension::choice("c", {"x", "y"})});
  // The choice turns the sign of a: alone it explains nothing, and a explains nothing without it.
  const std::vector<Importance> found =
      importances(space, observe(space, [](const Point& x) { return x[1] == 0 ? x[0] : -x[0]; }), 1);
  ASSERT_EQ(found.size(), 2u);
  for (const Importance& one : found) {
    EXPECT_LT(one.alone, 0.1);
    EXPECT_GT(one.in_all, 0.85);
  }
}

TEST(Importance, IsNotMadeOfFewerThanTwoTrialsForEachOption) {
  const SearchSpace space({Dimension::number("a", 0, 1), Dimension::number("b", 0, 1)});
  std::vector<Observation> trials = observe(space, [](const Point& x) { return 2 * x[0] + x[1]; });
  trials.resize(4);
  EXPECT_EQ(importances(space, trials, 1).size(), 2u);
  trials[3].value = std::nan("");
  EXPECT_TRUE(importances(space, trials, 1).empty());
}

TEST(Importance, HasNothingToSayWithoutDifferences) {
  const SearchSpace space({Dimension::number("a", 0, 1)});
  EXPECT_TRUE(importances(space, observe(space, [](const Point&) { return 1.0; }), 1).empty());
  EXPECT_TRUE(importances(space, {{{0.5}, 1}, {{0.6}, 2}}, 1).empty());
}

}  // namespace
}  // namespace gatewise

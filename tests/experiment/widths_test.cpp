#include "experiment/widths.h"

#include <gmock/gmock.h>

#include "tests/base/message_of.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

FeatureSpace ten_numbers() {
  FeatureSpace space;
  space.numeric = {{"x", 0, 10}};
  space.tables = {{"city", 100, 3}};
  space.ids = {{"city", 0, 0}};
  for (const char* name : {"left", "right"}) {
    TaskSpace task;
    task.name = name;
    task.kind = "binary";
    space.tasks.push_back(task);
  }
  return space;
}

// 13 inputs; a shared layer of `width`, and per task a tower of 4 above it.
int64_t shared_bottom_by_hand(int64_t width) { return 13 * width + width + 2 * (width * 4 + 4 + 4 + 1); }

Json shared_bottom(int64_t width) {
  return {{"type", "shared_bottom"}, {"expert", {{"units", {width}}}}, {"tower", {{"units", {4}}}}};
}

TEST(Widths, CountsParametersOutsideTheEmbeddings) {
  EXPECT_EQ(parameters_of(ten_numbers(), shared_bottom(7)), shared_bottom_by_hand(7));
}

TEST(Widths, FindsTheNearestWidth) {
  const FeatureSpace space = ten_numbers();
  for (const int64_t width : {1, 2, 3, 40, 1000}) {
    const int64_t step = shared_bottom_by_hand(2) - shared_bottom_by_hand(1);
    for (const int64_t off : {int64_t{0}, step / 3, -step / 3}) {
      const int64_t budget = shared_bottom_by_hand(width) + off;
      const SolvedWidth solved = solve_width(space, shared_bottom(16), budget, {"expert.units"});
      EXPECT_EQ(solved.model["expert"]["units"], Json{width}) << budget;
      EXPECT_EQ(solved.parameters, shared_bottom_by_hand(width));
      EXPECT_EQ(solved.changed[0]["from"], Json{16});
    }
  }
}

TEST(Widths, ScalesSeveralOptionsTogetherAndLeavesOutWhatTheModelLacks) {
  const Json model{{"type", "tensor_factorization"},
                   {"rank_in", 8},
                   {"rank_out", 4},
                   {"expert", {{"units", {16, 8}}}},
                   {"tower", {{"units", {4}}}}};
  const SolvedWidth solved =
      solve_width(ten_numbers(), model, 3000, {"expert.units", "rank_in", "rank_out", "no_such"});
  const auto width = solved.model["expert"]["units"][0].get<double>();
  EXPECT_NEAR(solved.model["expert"]["units"][1].get<double>(), width / 2, 0.51);
  EXPECT_NEAR(solved.model["rank_in"].get<double>(), width / 2, 0.51);
  EXPECT_NEAR(solved.model["rank_out"].get<double>(), width / 4, 0.51);
  EXPECT_EQ(solved.changed.size(), 3u);
  EXPECT_NEAR(static_cast<double>(solved.parameters), 3000, 150);
  EXPECT_EQ(solved.parameters, parameters_of(ten_numbers(), solved.model));
}

TEST(Widths, TakesDefaultsWhereNothingIsConfigured) {
  const SolvedWidth solved = solve_width(ten_numbers(), {{"type", "mmoe"}}, 2000, {"expert.units"});
  EXPECT_EQ(solved.changed.size(), 1u);
  EXPECT_NEAR(static_cast<double>(solved.parameters), 2000, 150);
}

TEST(Widths, NamesNoChangeWhereThereIsNone) {
  const int64_t own = shared_bottom_by_hand(16);
  EXPECT_TRUE(solve_width(ten_numbers(), shared_bottom(16), own, {"expert.units"}).changed.empty());
  const SolvedWidth least = solve_width(ten_numbers(), shared_bottom(1), 3, {"expert.units"});
  EXPECT_TRUE(least.changed.empty());
  EXPECT_TRUE(least.has_widths);
  EXPECT_FALSE(solve_width(ten_numbers(), {{"type", "linear"}}, own, {"expert.units"}).has_widths);
}

TEST(Widths, KnowsWhichOptionsAModelHas) {
  EXPECT_TRUE(has_option({{"type", "mmoe"}}, "expert.units"));
  EXPECT_TRUE(has_option({{"type", "tensor_factorization"}}, "rank_in"));
  EXPECT_FALSE(has_option({{"type", "mmoe"}}, "rank_in"));
  EXPECT_FALSE(has_option({{"type", "mmoe"}}, "foo"));
  EXPECT_FALSE(has_option({{"type", "linear"}}, "expert.units"));
}

TEST(Widths, RefusesOptionsThatAreNoWidths) {
  EXPECT_THAT(message_of(Fault::Command,
                         [] {
                           solve_width(ten_numbers(), {{"type", "mmoe"}}, 2000, {"expert.activation"});
                         }),
              HasSubstr("model.expert.activation: got"));
}

}  // namespace
}  // namespace gatewise

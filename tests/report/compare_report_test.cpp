#include "report/compare_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gatewise {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Json summary_of(std::vector<double> values, double mean) {
  return {{"mean", mean},
          {"deviation", 0.01},
          {"interval", {mean - 0.02, mean + 0.02}},
          {"interval_from", "seeds"},
          {"best", {{"value", values[0]}, {"seed", 1}}},
          {"values", values}};
}

// As compare_results() writes it, by hand.
Json compared() {
  Json mmoe = summary_of({0.94, 0.95, 0.96, 0.95, 0.95}, 0.95),
       shared = summary_of({0.9, 0.92, 0.94, 0.9, 0.9}, 0.912);
  mmoe["difference"] = {{"mean", 0.038},
                        {"interval", {0.02, 0.05}},
                        {"p", 0.001},
                        {"corrected_p", 0.001},
                        {"verdict", "better"}};
  return {{"part", "test"},
          {"baseline", "shared_bottom"},
          {"seeds", {1, 2, 3, 4, 5}},
          {"seeds_change", {"training"}},
          {"comparisons", 1},
          {"significance", 0.05},
          {"tasks",
           {{"income",
             {{"auc",
               {{"direction", "higher is better"},
                {"configurations", {{"shared_bottom", shared}, {"mmoe", mmoe}}}}}}}}},
          {"configurations",
           {{{"name", "shared_bottom"}, {"is_external", false}, {"seconds", 1.5}, {"runs", 5}, {"failed", 0}},
            {{"name", "mmoe"}, {"is_external", false}, {"seconds", 2.5}, {"runs", 4}, {"failed", 1}},
            {{"name", "trees"}, {"is_external", true}, {"source", "trees.csv"}}}},
          {"runs", {{{"configuration", "mmoe"}, {"seed", 3}, {"error", "the loss is not finite"}}}}};
}

TEST(CompareReport, SaysWhichIsBestAndWhetherThatMayBeChance) {
  EXPECT_EQ(
      compare_report(compared()).headline(),
      "income: mmoe has the best mean AUC, 0.9500, +0.0380 (0.0200 to 0.0500) against shared_bottom, more "
      "than chance explains. Differences from shared_bottom: 1 better, 0 worse, 0 that may be chance.");
  Json noise = compared();
  noise["tasks"]["income"]["auc"]["configurations"]["mmoe"]["difference"]["verdict"] = "noise";
  EXPECT_THAT(compare_report(noise).headline(), HasSubstr("which may be chance"));
}

TEST(CompareReport, OfLossesTheLeastIsBest) {
  Json json = compared();
  json["tasks"]["income"] = {{"log_loss", json["tasks"]["income"]["auc"]}};
  json["tasks"]["income"]["log_loss"]["direction"] = "lower is better";
  EXPECT_THAT(compare_report(json).headline(), HasSubstr("shared_bottom has the best mean log loss, 0.9120"));
}

TEST(CompareReport, OfRatiosTheLeastMeanDistanceIsBest) {
  Json json = compared();
  Json ratio = json["tasks"]["income"]["auc"];
  ratio["direction"] = "closer to 1 is better";
  ratio["configurations"]["shared_bottom"] = summary_of({0.5, 1.5}, 1.0);
  ratio["configurations"]["mmoe"]["values"] = {0.94, 0.96};
  json["tasks"]["income"] = {{"calibration_ratio", ratio}};
  EXPECT_THAT(compare_report(json).headline(), HasSubstr("mmoe has the best mean"));
  EXPECT_THAT(compare_report(json).sections().dump(), HasSubstr("distance from 1, minus shared_bottom"));
}

TEST(CompareReport, ShowsFailuresAndTheDistributionOverSeeds) {
  const std::string text = compare_report(compared()).sections().dump();
  EXPECT_THAT(text, AllOf(HasSubstr("mmoe seed 3 failed: the loss is not finite"),
                          HasSubstr("income: AUC over 5 seeds"), HasSubstr("Cost")));
}

TEST(CompareReport, WarnsOfUnequalSizesAndOfTasksThatAreNotPredicted) {
  Json json = compared();
  json["configurations"][1]["why_unequal"] = "60 parameters where shared_bottom has 262";
  json["configurations"][2]["missing_tasks"] = {"income"};
  EXPECT_THAT(compare_report(json).sections().dump(),
              AllOf(HasSubstr("mmoe: 60 parameters where shared_bottom has 262"),
                    HasSubstr("trees has no predictions of income")));
}

TEST(Distribution, HasTheSameBinsForAllGroupsAndLosesNoValue) {
  const DataTable table = distribution({{"a", {0, 1, 1, 4}}, {"b", {2}}, {"c", {}}}, 4, "group", "runs");
  ASSERT_EQ(table.rows.size(), 12u);
  EXPECT_EQ(table.rows[0], (std::vector<Json>{"a", 0.0, 1.0, 1}));
  EXPECT_EQ(table.rows[1], (std::vector<Json>{"a", 1.0, 2.0, 2}));
  EXPECT_EQ(table.rows[3], (std::vector<Json>{"a", 3.0, 4.0, 1}));
  EXPECT_EQ(table.rows[6], (std::vector<Json>{"b", 2.0, 3.0, 1}));
  int64_t runs = 0;
  for (const auto& row : distribution({{"a", {5, 5, 5}}}, 3, "g", "r").rows) runs += row[3].get<int64_t>();
  EXPECT_EQ(runs, 3);
  EXPECT_TRUE(distribution({{"a", {}}}, 3, "g", "r").rows.empty());
}

}  // namespace
}  // namespace gatewise

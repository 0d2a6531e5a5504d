#include "table/synthetic_grouped_tasks.h"

#include <cmath>

#include "tests/base/message_of.h"
#include "tests/table/made_rows.h"

namespace gatewise {
namespace {

// Mean over rows of the product of two labels.
double moment(const MadeRows& made, int64_t tasks, int64_t a, int64_t b) {
  const auto rows = static_cast<int64_t>(made.labels.size()) / tasks;
  double sum = 0;
  for (int64_t row = 0; row < rows; ++row)
    sum += double{made.labels[row * tasks + a]} * made.labels[row * tasks + b];
  return sum / static_cast<double>(rows);
}

TEST(GroupedTasks, LabelsFollowFromFeaturesAndTheTruth) {
  const GroupedTasks table(
      {.tasks = 5, .groups = 2, .features = 3, .dimension = 7, .noise_tasks = 1, .seed = 4});
  const Json truth = table.truth();
  EXPECT_EQ(truth["group"], Json({0, 0, 0, 1, 1}));
  const std::vector<std::vector<std::vector<double>>> weights = truth["feature_weights"];
  const std::vector<std::vector<double>> readouts = truth["readouts"];
  const MadeRows made = made_rows(table, 1, 0, 100);
  for (int64_t row = 0; row < 100; ++row) {
    for (int64_t task = 0; task < 5; ++task) {
      double label = 0;
      for (int64_t j = 0; j < 3; ++j) {
        double score = 0;
        for (int64_t i = 0; i < 7; ++i) score += weights[truth["group"][task]][j][i] * made.x[row * 7 + i];
        label += readouts[task][j] * std::tanh(score);
      }
      EXPECT_NEAR(made.labels[row * 6 + task], label, 1e-5);
    }
  }
}

TEST(GroupedTasks, LabelsHaveTheVariancesOfTheTruth) {
  for (const double scale : {0.5, 2.5, 10.0}) {
    const GroupedTasks table({.feature_scale = scale, .noise_variance = .2, .noise_tasks = 3, .seed = 7});
    const Json truth = table.truth();
    const std::vector<double> variances = truth["label_variance"];
    const MadeRows made = made_rows(table, 1, 0, 50000);
    for (int64_t task = 0; task < 11; ++task)
      EXPECT_NEAR(moment(made, 11, task, task) / variances[task], 1, .03) << scale << " " << task;
    EXPECT_EQ(truth["noise_floor"][7], .2);
    EXPECT_EQ(truth["noise_floor"][8], 1);
  }
}

TEST(GroupedTasks, WithoutSpreadTheTasksOfAGroupAreOne) {
  const GroupedTasks table({.spread = 0, .seed = 2});
  const MadeRows made = made_rows(table, 1, 0, 20);
  for (int64_t row = 0; row < 20; ++row) {
    for (int64_t task = 0; task < 8; task += 2)
      EXPECT_EQ(made.labels[row * 8 + task], made.labels[row * 8 + task + 1]);
    EXPECT_NE(made.labels[row * 8 + 1], made.labels[row * 8 + 2]);
  }
}

TEST(GroupedTasks, TasksOfPureNoiseAreIndependentAndLeaveTheOthersAlone) {
  const GroupedTasksOptions options{.noise_variance = .1, .seed = 5};
  GroupedTasksOptions more = options;
  more.noise_tasks = 5;
  const MadeRows plain = made_rows(GroupedTasks(options), 1, 0, 20000),
                 made = made_rows(GroupedTasks(more), 1, 0, 20000);
  EXPECT_EQ(made.x, plain.x);
  for (int64_t row = 0; row < 20000; ++row) {
    for (int64_t task = 0; task < 8; ++task)
      ASSERT_EQ(made.labels[row * 13 + task], plain.labels[row * 8 + task]);
  }
  for (int64_t a = 8; a < 13; ++a) {
    for (int64_t b = 0; b <= a; ++b)
      EXPECT_NEAR(moment(made, 13, a, b), a == b ? 1 : 0, .05) << a << " " << b;
  }
}

TEST(GroupedTasks, NamesUpToManyTasksAndRefusesWhatCannotBe) {
  const GroupedTasks table({.tasks = 128, .groups = 16, .noise_tasks = 2});
  EXPECT_EQ(table.tasks(), 130);
  EXPECT_EQ(table.labels()[127].name, "y128");
  EXPECT_EQ(table.labels()[129].name, "noise2");
  EXPECT_THAT(message_of([] { make_synthetic_table("grouped_tasks", Json::parse(R"({"groups": 9})")); }),
              testing::HasSubstr("got 9 groups of 8 tasks"));
}

}  // namespace
}  // namespace gatewise

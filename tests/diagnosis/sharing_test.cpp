// Models of single tasks, and the comparison with them.
#include "diagnosis/sharing.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/base/message_of.h"
#include "tests/training/fitted.h"

namespace gatewise {
namespace {

JudgedModel guesses(const std::string& task, int64_t rows, double skill, uint64_t seed) {
  JudgedModel model;
  model.space = sample_space({make_task(task, "binary")});
  model.rows.rows = rows;
  model.rows.tasks = 1;
  model.predictions.emplace_back();
  const RandomStream labels(1, "labels"), noise(seed, "noise");
  for (int64_t row = 0; row < rows; ++row) {
    const auto at = static_cast<uint64_t>(row);
    const bool label = labels.uniform(0, at, 0) < 0.4;
    model.rows.labels.push_back(label ? 1 : 0);
    const double logit = skill * (label ? 1 : -1) + noise.normal(0, at, 0);
    model.predictions[0].push_back(static_cast<float>(1 / (1 + std::exp(-logit))));
  }
  return model;
}

std::string verdict_between(double ours, double theirs) {
  const Json found = compare_with_single(guesses("a", 3000, ours, 1), {guesses("a", 3000, theirs, 2)}, {});
  EXPECT_NEAR(found["a"]["gain"].get<double>(),
              found["a"]["shared"].get<double>() - found["a"]["single"].get<double>(), 1e-12);
  EXPECT_LE(found["a"]["low"].get<double>(), found["a"]["gain"].get<double>());
  EXPECT_GE(found["a"]["high"].get<double>(), found["a"]["gain"].get<double>());
  return found["a"]["verdict"].get<std::string>();
}

TEST(Sharing, HelpsHurtsOrIsUnclear) {
  EXPECT_EQ(verdict_between(1.0, 0.6), "helps");
  EXPECT_EQ(verdict_between(0.6, 1.0), "hurts");
  EXPECT_EQ(verdict_between(0.8, 0.8), "unclear");
}

// The same rows are drawn for both: what they have in common cancels.
TEST(Sharing, IntervalOfAModelAgainstItselfIsNothing) {
  const Json found = compare_with_single(guesses("a", 500, 1, 1), {guesses("a", 500, 1, 1)}, {});
  EXPECT_EQ(found["a"]["gain"], 0);
  EXPECT_EQ(found["a"]["low"], 0);
  EXPECT_EQ(found["a"]["high"], 0);
}

TEST(Sharing, RefusesOtherLabelsAndLeavesOtherTasksOut) {
  JudgedModel other = guesses("a", 500, 1, 1);
  other.rows.labels[3] = 1 - other.rows.labels[3];
  EXPECT_THAT(message_of([&] { compare_with_single(guesses("a", 500, 1, 1), {other}, {}); }),
              testing::HasSubstr("the labels of task \"a\" differ"));
  EXPECT_TRUE(compare_with_single(guesses("a", 500, 1, 1), {guesses("b", 500, 1, 1)}, {}).empty());
}

TEST(Sharing, IsSaidInOneSentence) {
  Json tasks = compare_with_single(guesses("a", 3000, 1.2, 1), {guesses("a", 3000, 0.6, 2)}, {});
  tasks["b"] = {{"metric", "auc"}, {"verdict", "undefined"}, {"why", "one class"}};
  EXPECT_THAT(sharing_text(tasks),
              testing::MatchesRegex("Sharing helps a \\(AUC \\+0\\.[0-9]*, 95 % interval "
                                    "\\+0.* to \\+0.*\\); not comparable: b \\(one class\\)"));
}

// A task's own model is the same whatever the other tasks' labels are, and learns its task.
TEST(SingleModels, SeeOneTaskAlone) {
  const auto table = make_synthetic_table("related_tasks", {{"dimension", 6}, {"tasks", 2}});
  Json groups = Json::object();
  for (const SyntheticLabel& label : table->labels()) groups["of_" + label.name] = {label.name};
  const Configuration configuration = Configuration::from_json(
      {{"synthetic",
        {{"kind", "related_tasks"},
         {"options", {{"dimension", 6}, {"tasks", 2}}},
         {"validation_rows", 500},
         {"test_rows", 1000}}},
       {"model",
        {{"type", "home"}, {"groups", groups}, {"expert", {{"units", {8}}, {"normalisation", "layer"}}}}},
       {"training",
        {{"epochs", 2}, {"steps_per_epoch", 60}, {"batch_rows", 64}, {"optimiser", {{"rate", 0.01}}}}}});
  Pool pool(1);
  const TrainingRows rows = load_training_rows(configuration, nullptr);
  std::vector<std::string> told;
  const std::vector<JudgedModel> models =
      train_single_models(configuration, load_training_rows(configuration, nullptr), *rows.test, pool,
                          [&](const std::string& task) { told.push_back(task); });
  ASSERT_EQ(models.size(), 2U);
  for (size_t task = 0; task < models.size(); ++task) {
    EXPECT_EQ(models[task].space.tasks.size(), 1U);
    EXPECT_EQ(told[task], table->labels()[task].name);
    ASSERT_EQ(models[task].predictions.size(), 1U);
    const JudgedTask judged(models[task].space, 0, models[task].rows, models[task].predictions);
    EXPECT_EQ(judged.input().rows, 1000);
    // Its own labels, not those of the other.
    for (int64_t row = 0; row < 20; ++row)
      EXPECT_EQ(judged.input().labels[row], rows.test->labels[row * 2 + static_cast<int64_t>(task)]);
    EXPECT_GT(make_metric("r2")->evaluate(judged.input()).value.value_or(0), 0.2) << told[task];
  }
}

}  // namespace
}  // namespace gatewise

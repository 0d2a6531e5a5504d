// When training stops, whose judgement counts, and the learning rate until then.
#include "training/stopping.h"

#include "tests/training/fitted.h"
#include "training/idle_options.h"

namespace gatewise {
namespace {

TEST(Stopping, KnowsTheDirectionOfTheMetric) {
  StopOptions options;
  options.patience = 2;
  options.metric = "rmse";
  Stopper stopper(options, {make_task("amount", "regression")});
  EXPECT_TRUE(stopper.is_best({2.0}));
  EXPECT_TRUE(stopper.is_best({1.0}));
  EXPECT_FALSE(stopper.is_best({1.5}));
  EXPECT_FALSE(stopper.should_stop());
  EXPECT_FALSE(stopper.is_best({1.2}));
  EXPECT_TRUE(stopper.should_stop());
}

TEST(Stopping, FollowsItsPolicy) {
  const auto outcome = [](const std::string& policy) {
    StopOptions options;
    options.policy = policy;
    Stopper stopper(options, binary_tasks);
    stopper.is_best({0.6, 0.6});
    std::string text;
    for (const auto& values : std::vector<std::vector<std::optional<double>>>{
             {0.7, 0.5}, {0.7, std::nullopt}, {0.75, 0.7}, {0.5, 0.9}}) {
      text += stopper.is_best(values) ? 'b' : '-';
    }
    return text;
  };
  EXPECT_EQ(outcome("one"), "b-b-");
  EXPECT_EQ(outcome("any"), "b-bb");
  EXPECT_EQ(outcome("all"), "-bb-");
  EXPECT_EQ(outcome("mean"), "-bb-");
}

StopOptions mean_of(const std::string& metric, const Json& weights = Json::object()) {
  StopOptions options;
  options.metric = metric;
  options.weights = weights;
  return options;
}

TEST(Stopping, TheMeanAddsNothingOfDifferentUnits) {
  const std::vector<TaskSpace> two{make_task("metres", "regression"), make_task("grams", "regression")};
  for (const char* metric : {"rmse", "mae"}) {
    EXPECT_THROW(Stopper(mean_of(metric), two), Error);
    EXPECT_THROW(Stopper(mean_of(metric, {{"metres", 2}}), two), Error);
    EXPECT_THROW(Stopper(mean_of(metric), mixed_tasks), Error);
    EXPECT_NO_THROW(Stopper(mean_of(metric, {{"metres", 2}, {"grams", 0.001}}), two));
    EXPECT_NO_THROW(Stopper(mean_of(metric, {{"grams", 0}}), two));
    EXPECT_NO_THROW(Stopper(mean_of(metric), {two[0]}));
    StopOptions any = mean_of(metric);
    any.policy = "any";
    EXPECT_NO_THROW(Stopper(any, two));
  }
  const Stopper usual(StopOptions(), mixed_tasks);
  EXPECT_EQ(usual.metric_of(0), "auc");
  EXPECT_EQ(usual.metric_of(1), "r2");
  EXPECT_EQ(usual.metric_of(2), "log_loss");
}

TEST(Stopping, RefusesAMetricThatFitsNoTaskItJudges) {
  EXPECT_THROW(Stopper(mean_of("rmse"), binary_tasks), Error);
  StopOptions one = mean_of("auc");
  one.policy = "one";
  one.task = "amount";
  EXPECT_THROW(Stopper(one, mixed_tasks), Error);
  one.task = "click";
  EXPECT_EQ(Stopper(one, mixed_tasks).metric_of(0), "auc");
}

TEST(Stopping, RefusesOptionsThatItsPolicyDoesNotRead) {
  StopOptions options;
  options.task = "buy";
  EXPECT_THROW(Stopper(options, binary_tasks), Error);
  options.policy = "one";
  EXPECT_NO_THROW(Stopper(options, binary_tasks));
  options = {};
  options.weights = {{"click", 2}};
  EXPECT_NO_THROW(Stopper(options, binary_tasks));
  options.policy = "any";
  EXPECT_THROW(Stopper(options, binary_tasks), Error);
  EXPECT_THROW(Stopper(mean_of("auc", {{"click", 0}, {"buy", 0}}), binary_tasks), Error);
  EXPECT_NO_THROW(Stopper(mean_of("auc", {{"click", 0}}), binary_tasks));
}

TEST(Stopping, AnEpochWithoutAnyValueIsKeptAndCountsForNothing) {
  for (const char* policy : {"one", "mean", "any", "all"}) {
    StopOptions options;
    options.policy = policy;
    options.patience = 1;
    Stopper stopper(options, binary_tasks);
    for (int epoch = 0; epoch < 3; ++epoch) EXPECT_TRUE(stopper.is_best({std::nullopt, std::nullopt}));
    EXPECT_FALSE(stopper.should_stop()) << policy;
  }
}

TEST(Stopping, AMetricThatIsNotReportedDecidesAllTheSame) {
  const FeatureSpace space = sample_space(binary_tasks);
  FitSetting setting = quick(1);
  setting.options.stop = {{"metric", "normalised_entropy"}};
  const Fitted fitted = fit(space, sample_rows(space, 600), setting);
  const Json& click = fitted.history["epochs"][0]["validation"]["click"];
  EXPECT_TRUE(click["normalised_entropy"]["value"].is_number());
  EXPECT_TRUE(click["auc"]["value"].is_number());
  EXPECT_EQ(fitted.history["warnings"], Json::array());
  // Otherwise each task has the metrics of its own kind only.
  const FeatureSpace mixed = sample_space(mixed_tasks);
  const Fitted usual = fit(mixed, sample_rows(mixed, 600), quick(1));
  const Json& validation = usual.history["epochs"][0]["validation"];
  EXPECT_FALSE(validation["grade"].contains("auc"));
  EXPECT_FALSE(validation["click"].contains("accuracy"));
}

TEST(Stopping, SaysWhenNothingCanBeJudged) {
  const FeatureSpace space = sample_space({make_task("click", "binary")});
  FitSetting setting = quick(6);
  setting.options.stop = {{"metric", "grouped_auc"}};  // and there are no groups
  const Fitted fitted = fit(space, sample_rows(space, 600), setting);
  EXPECT_THAT(fitted.history["warnings"].dump(), testing::HasSubstr("grouped_auc is undefined"));
  EXPECT_EQ(fitted.history["best_epoch"], 6);
  EXPECT_EQ(fitted.history["stopped_by"], "epochs");
}

TEST(Schedule, TellsOfOptionsThatNothingReads) {
  TrainingOptions options;
  EXPECT_TRUE(find_idle_options(options).empty());
  options.optimiser = {{"kind", "sgd"}, {"momentum", 0.9}, {"nesterov", true}};
  options.schedule = {{"kind", "cosine"}, {"total_steps", 9}, {"warm_up_steps", 2}, {"warm_up_from", 0.1}};
  EXPECT_TRUE(find_idle_options(options).empty());
  options.optimiser["momentum"] = 0;
  options.schedule["kind"] = "step";
  options.schedule["warm_up_steps"] = 0;
  EXPECT_THAT(find_idle_options(options),
              testing::ElementsAre(testing::StartsWith("training.optimiser.nesterov: true has no effect"),
                                   testing::StartsWith("training.schedule.total_steps: 9 has no effect"),
                                   testing::StartsWith("training.schedule.warm_up_from: 0.1 has no effect")));
  options = {};
  options.optimiser = {{"momentum", 0.9}};
  EXPECT_THAT(find_idle_options(options),
              testing::ElementsAre(testing::HasSubstr("optimiser.momentum: 0.9 has no effect; only kind")));
}

TEST(Schedule, TellsOfAWarmUpThatOutlastsTheRun) {
  const FeatureSpace space = sample_space(binary_tasks);
  const EncodedData rows = sample_rows(space, 400);
  FitSetting setting = quick(2);  // of two steps each
  setting.options.schedule = {{"warm_up_steps", 4}};
  EXPECT_THAT(fit(space, rows, setting).history["warnings"].dump(), testing::HasSubstr("warm_up_steps: 4"));
  setting.options.schedule = {{"warm_up_steps", 3}};
  EXPECT_THAT(fit(space, rows, setting).history["warnings"].dump(),
              testing::Not(testing::HasSubstr("warm_up_steps")));
}

TEST(Schedule, WarmsUpThenFalls) {
  ScheduleOptions schedule;
  schedule.warm_up_steps = 4;
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 1, 0, 100), 0);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 1, 2, 100), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 1, 4, 100), 1);
  schedule = {};
  schedule.kind = "step";
  schedule.step_every = 10;
  EXPECT_NEAR(learning_rate(schedule, 1, 25, 100), 0.01, 1e-15);
  schedule.kind = "cosine";
  EXPECT_NEAR(learning_rate(schedule, 2, 50, 100), 1, 1e-12);
}

}  // namespace
}  // namespace gatewise

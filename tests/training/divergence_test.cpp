// Numbers that leave what a float holds: never the best, never kept, and named.
#include "training/divergence.h"

#include <filesystem>

#include "tests/base/message_of.h"
#include "tests/training/fitted.h"
#include "training/stopping.h"

namespace gatewise {
namespace {

constexpr double overflow = NAN;

TEST(Divergence, AnEpochWithPredictionsThatOverflowIsNeverTheBest) {
  for (const char* policy : {"one", "mean", "any", "all"}) {
    StopOptions options;
    options.policy = policy;
    options.patience = 4;
    Stopper stopper(options, binary_tasks);
    EXPECT_FALSE(stopper.is_best({overflow, 0.9})) << policy << ", with nothing to compare with";
    EXPECT_TRUE(stopper.is_best({0.6, 0.6})) << policy;
    EXPECT_FALSE(stopper.is_best({overflow, 0.9})) << policy;
    EXPECT_FALSE(stopper.is_best({overflow, std::nullopt})) << policy;
    EXPECT_TRUE(stopper.is_best({0.7, 0.7})) << policy;
    for (int epoch = 0; epoch < 4; ++epoch) EXPECT_FALSE(stopper.is_best({overflow, overflow})) << policy;
    EXPECT_TRUE(stopper.should_stop()) << policy;
  }
  StopOptions first;
  first.policy = "one";
  EXPECT_TRUE(Stopper(first, binary_tasks).is_best({0.6, overflow})) << "the other task does not decide";
  StopOptions weighted;
  weighted.weights = {{"buy", 0}};
  EXPECT_TRUE(Stopper(weighted, binary_tasks).is_best({0.6, overflow})) << "nor does one without weight";
}

TEST(Divergence, ARunKeepsItsBestEpochWhenPredictionsOverflowLater) {
  // Of one task the validation rows have labels that a Poisson loss drives the predictions away from.
  FeatureSpace space = sample_space({make_task("count", "regression"), make_task("click", "binary")});
  space.tasks[0].loss = "poisson";
  EncodedData rows = sample_rows(space, 400), validation = sample_rows(space, 100, 0, 2);
  for (EncodedData* part : {&rows, &validation}) {
    for (size_t i = 0; i < part->labels.size(); i += 2)
      part->labels[i] = std::exp(2 * part->numeric[i / 2 * part->numeric_width]);
  }
  validation.numeric[0] = 120;
  FitSetting setting = quick(12);
  setting.options.stop = {{"patience", 0}};
  setting.options.optimiser = {{"rate", 0.1}};
  const auto graph = build_graph(space, {{"type", "linear"}});
  Store<float> store(*graph);
  store.initialise(1);
  Pool pool(1);
  const Json history = train(*graph, store, space, {.train = &rows, .validation = &validation},
                             setting.options, setting.run, pool);
  int64_t overflown = 0;
  for (const Json& epoch : history["epochs"]) {
    if (!epoch["validation"]["count"]["r2"]["value"].is_null()) continue;
    ++overflown;
    EXPECT_FALSE(epoch["is_best"].get<bool>()) << epoch["epoch"];
  }
  EXPECT_GT(overflown, 0);
  EXPECT_LT(history["best_epoch"].get<int64_t>(), 12);
}

TEST(Divergence, WeightsThatAreNotFiniteEndTheRunAndAreNotKept) {
  const FeatureSpace space = sample_space(binary_tasks);
  const EncodedData rows = sample_rows(space, 500);
  for (const int64_t seconds : {0, 60}) {
    FitSetting setting = quick(2);
    setting.options.batch_rows = 1000;
    setting.options.checkpoint_seconds = seconds;
    setting.options.optimiser = {{"kind", "sgd"}, {"rate", 1e39}};
    setting.run.checkpoint = testing::TempDir() + "gatewise_infinite_test.checkpoint";
    std::filesystem::remove(setting.run.checkpoint);
    EXPECT_THAT(message_of([&] { fit(space, rows, setting); }),
                testing::AllOf(testing::HasSubstr("parameter \""), testing::HasSubstr("at step 0 (epoch 1)"),
                               testing::Not(testing::HasSubstr("checkpoint"))));
    EXPECT_FALSE(std::filesystem::exists(setting.run.checkpoint));
  }
}

TEST(Divergence, TheMessageNamesEveryTaskAndTheRateOfTheStep) {
  const FeatureSpace space =
      sample_space({make_task("amount", "regression"), make_task("size", "regression")});
  EncodedData rows = sample_rows(space, 200);
  for (float& label : rows.labels) label *= 1e30F;  // whose squares are too large for a float
  FitSetting setting = quick(1);
  setting.with_validation = false;
  setting.options.optimiser = {{"rate", 8}};
  setting.options.schedule = {{"warm_up_steps", 1}, {"warm_up_from", 0.5}};
  EXPECT_THAT(message_of([&] { fit(space, rows, setting); }),
              testing::AllOf(testing::HasSubstr("task \"amount\", task \"size\""),
                             testing::HasSubstr("a learning rate of 4 ")));
  EXPECT_THAT(message_of([] {
                report_diverged_loss({}, {3, 1, 0.5, "a.checkpoint"});
              }),
              testing::AllOf(testing::HasSubstr("all tasks together"), testing::HasSubstr("a.checkpoint")));
}

}  // namespace
}  // namespace gatewise

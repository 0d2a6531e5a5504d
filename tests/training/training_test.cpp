#include <filesystem>

#include "tests/training/sample_data.h"
#include "training/batches.h"
#include "training/model.h"
#include "training/stopping.h"
#include "training/trainer.h"

namespace gatewise {
namespace {

const std::vector<TaskSpace> mixed_tasks{make_task("click", "binary"), make_task("amount", "regression"),
                                         make_task("grade", "multiclass", 3)};
const std::vector<TaskSpace> binary_tasks{make_task("click", "binary"), make_task("buy", "binary")};

struct Fitted {
  std::unique_ptr<Graph> graph;
  std::unique_ptr<Store<float>> store;
  Json history;

  std::vector<float> weights() const {
    return {store->arena().data(), store->arena().data() + store->arena().size()};
  }
};

struct FitSetting {
  Json model = Json::object();
  int threads = 1;
  TrainingOptions options;
  TrainingRun run;
  bool with_validation = true;
};

Fitted fit(const FeatureSpace& space, const EncodedData& rows, const FitSetting& setting) {
  Fitted fitted;
  fitted.graph = build_graph(space, setting.model);
  fitted.store = std::make_unique<Store<float>>(*fitted.graph);
  fitted.store->initialise(static_cast<uint64_t>(setting.options.seed));
  Pool pool(setting.threads);
  const EncodedData validation = sample_rows(space, 300, 0, 2);
  TrainingData data;
  data.train = &rows;
  if (setting.with_validation) data.validation = &validation;
  fitted.history = train(*fitted.graph, *fitted.store, space, data, setting.options, setting.run, pool);
  return fitted;
}

FitSetting quick(int64_t epochs = 3) {
  FitSetting setting;
  setting.options.epochs = epochs;
  setting.options.batch_rows = 200;
  setting.options.optimiser = {{"rate", 0.01}};
  return setting;
}

TEST(Training, GivesTheSameBitsForAnyNumberOfThreads) {
  const FeatureSpace space = sample_space(mixed_tasks);
  const EncodedData rows = sample_rows(space, 1111, 0.2);
  FitSetting setting = quick();
  setting.model = {{"type", "mmoe"}, {"levels", 2}, {"expert", {{"units", {12, 8}}, {"dropout", 0.2}}}};
  const std::vector<float> expected = fit(space, rows, setting).weights();
  for (const int threads : {2, 4}) {
    setting.threads = threads;
    EXPECT_EQ(fit(space, rows, setting).weights(), expected) << threads << " threads";
  }
  setting.options.seed = 2;
  EXPECT_NE(fit(space, rows, setting).weights(), expected);
}

TEST(Training, LearnsEveryKindOfTask) {
  const FeatureSpace space = sample_space(mixed_tasks);
  const Fitted fitted = fit(space, sample_rows(space, 4000, 0.1), quick(20));
  const Json& best = fitted.history["epochs"][fitted.history["best_epoch"].get<size_t>() - 1]["validation"];
  EXPECT_GT(best["click"]["auc"]["value"].get<double>(), 0.95);
  EXPECT_GT(best["amount"]["r2"]["value"].get<double>(), 0.8);
  EXPECT_GT(best["grade"]["accuracy"]["value"].get<double>(), 0.7);
}

TEST(Training, MissingLabelsAndTheirValuesHaveNoInfluence) {
  const FeatureSpace space = sample_space(binary_tasks);
  EncodedData rows = sample_rows(space, 600, 0.3);
  rows.weights.assign(rows.labels.size(), 1);
  EncodedData masked_by_weight = rows;
  for (size_t i = 0; i < rows.labels.size(); ++i) {
    if (!std::isnan(rows.labels[i])) continue;
    masked_by_weight.labels[i] = 1;
    masked_by_weight.weights[i] = 0;
  }
  EXPECT_EQ(fit(space, rows, quick()).weights(), fit(space, masked_by_weight, quick()).weights());
}

TEST(Training, ATaskWithoutRowsAddsNothing) {
  const FeatureSpace space = sample_space(binary_tasks);
  EncodedData rows = sample_rows(space, 600);
  for (size_t i = 1; i < rows.labels.size(); i += 2) rows.labels[i] = NAN;
  FitSetting setting = quick();
  setting.with_validation = false;
  const Fitted fitted = fit(space, rows, setting);
  for (const float weight : fitted.weights()) ASSERT_TRUE(std::isfinite(weight));
  for (const Json& epoch : fitted.history["epochs"]) EXPECT_EQ(epoch["losses"]["buy"], 0.0);
}

TEST(Training, OrdinaryCornersWork) {
  for (const int64_t rows : {1, 2, 129}) {
    for (const int64_t experts : {1, 3}) {
      const FeatureSpace space = sample_space({make_task("click", "binary")});
      FitSetting setting = quick(1);
      setting.options.batch_rows = 1 + rows / 2;
      setting.model = {{"experts", experts}};
      const Fitted fitted = fit(space, sample_rows(space, rows), setting);
      for (const float weight : fitted.weights()) ASSERT_TRUE(std::isfinite(weight));
    }
  }
}

TEST(Training, AResumedRunGivesTheBitsOfAnUninterruptedOne) {
  const FeatureSpace space = sample_space(mixed_tasks);
  const EncodedData rows = sample_rows(space, 1500, 0.1);
  FitSetting setting = quick(4);
  const std::vector<float> expected = fit(space, rows, setting).weights();
  const std::string file = testing::TempDir() + "gatewise_resume_test.checkpoint";
  // Asks to stop after a number of steps, in the middle of epochs and at their ends.
  struct StopAfter final : TrainingObserver {
    std::atomic<bool> request{false};
  } observer;
  setting.run = {file, true, &observer.request, &observer};
  std::filesystem::remove(file);
  for (int part = 0; part < 40; ++part) {
    observer.request = true;  // every part runs a single step
    const Fitted fitted = fit(space, rows, setting);
    if (!fitted.history.contains("stopped_by") || fitted.history["stopped_by"] != "request") {
      EXPECT_EQ(fitted.weights(), expected);
      std::filesystem::remove(file);
      return;
    }
  }
  FAIL() << "the run did not finish in 40 parts";
}

TEST(Training, RefusesAForeignCheckpoint) {
  const FeatureSpace space = sample_space(binary_tasks);
  const EncodedData rows = sample_rows(space, 500);
  FitSetting setting = quick(1);
  setting.run.checkpoint = testing::TempDir() + "gatewise_foreign_test.checkpoint";
  std::filesystem::remove(setting.run.checkpoint);
  fit(space, rows, setting);
  setting.run.is_resuming = true;
  setting.options.seed = 9;
  try {
    fit(space, rows, setting);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("seed = 1, the run has 9"));
  }
  std::filesystem::remove(setting.run.checkpoint);
}

TEST(Training, ADivergingLossStopsWithItsCause) {
  const FeatureSpace space = sample_space({make_task("amount", "regression")});
  FitSetting setting = quick(50);
  setting.options.optimiser = {{"kind", "sgd"}, {"rate", 1e6}};
  try {
    fit(space, sample_rows(space, 1000), setting);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("task \"amount\""));
    EXPECT_THAT(error.what(), testing::HasSubstr("learning rate"));
  }
}

TEST(Training, WarnsOfDeadUnitsEqualExpertsWildNumbersAndStuckTasks) {
  const FeatureSpace space = sample_space({make_task("click", "binary")});
  EncodedData rows = sample_rows(space, 500);
  for (int64_t row = 0; row < rows.rows; ++row) {
    rows.numeric[row * rows.numeric_width] *= 1000;
    rows.labels[row] = static_cast<float>(mix64(static_cast<uint64_t>(row)) % 2);
  }
  FitSetting setting = quick(1);
  setting.options.optimiser = {{"rate", 1e-9}};
  setting.model = {{"expert", {{"initializer", "constant"}, {"initializer_scale", 0.1}}}};
  const std::string warnings = fit(space, rows, setting).history["warnings"].dump();
  EXPECT_THAT(warnings, testing::HasSubstr("columns.age: values reach"));
  EXPECT_THAT(warnings, testing::HasSubstr("units repeat another unit"));
  EXPECT_THAT(warnings, testing::HasSubstr("give the same output on every row"));
}

TEST(Scoring, ARowDoesNotDependOnItsNeighbours) {
  const FeatureSpace space = sample_space(mixed_tasks);
  const EncodedData rows = sample_rows(space, 300);
  for (const std::string type : {"mmoe", "omoe", "shared_bottom", "single_task"}) {
    const auto graph = build_graph(space, {{"type", type}});
    Store<float> store(*graph);
    store.initialise(3);
    Pool pool(2);
    PlanOptions options;
    options.is_training = false;
    Program<float> program(store, pool, options);
    BatchLoader loader(*graph, space);
    std::vector<std::vector<float>> expected;
    for (int64_t count = 1; count <= 257; ++count) {
      program.forward(loader.view(rows, 7, count), gatewise::Run{});
      for (size_t task = 0; task < space.tasks.size(); ++task) {
        const ConstRows<float> values = program.value(graph->find(space.tasks[task].name));
        const int64_t width = space.tasks[task].kind == "multiclass" ? 3 : 1;
        const std::vector<float> first(values.data, values.data + width);
        const float* last_row = values.data + (count - 1) * values.stride;
        if (count == 1) expected.push_back(first);
        ASSERT_EQ(first, expected[task]) << type << " with " << count << " rows";
        program.forward(loader.view(rows, 7 + count - 1, 1), gatewise::Run{});
        const float* alone = program.value(graph->find(space.tasks[task].name)).data;
        const std::vector<float> alone_values(alone, alone + width);
        program.forward(loader.view(rows, 7, count), gatewise::Run{});
        last_row = program.value(graph->find(space.tasks[task].name)).data + (count - 1) * values.stride;
        ASSERT_EQ(std::vector<float>(last_row, last_row + width), alone_values)
            << type << " with " << count << " rows";
      }
    }
  }
}

TEST(Scoring, RegressionIsReportedInOriginalUnits) {
  FeatureSpace space = sample_space({make_task("amount", "regression")});
  const std::vector<double> labels{100, 300};
  space.tasks[0].scaling = Scaling::fit(labels, "standardise", 0, false);
  EXPECT_NEAR(space.tasks[0].to_original(0), 200, 1e-9);
  const auto graph = build_graph(space, Json::object());
  Store<float> store(*graph);
  store.initialise(1);
  Pool pool(1);
  for (const auto& values : predict(*graph, store, space, sample_rows(space, 20), pool)) {
    for (const float value : values) EXPECT_GT(value, 50);
  }
}

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

#include <filesystem>

#include "tests/training/fitted.h"
#include "training/batches.h"

namespace gatewise {
namespace {

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

TEST(Training, ClassWeightsAreRowWeightsByLabel) {
  const std::vector<double> by_label{0.5, 2};
  FeatureSpace weighted = sample_space(binary_tasks);
  weighted.tasks[1].class_weights = by_label;
  const FeatureSpace plain = sample_space(binary_tasks);
  const EncodedData rows = sample_rows(plain, 600);
  EncodedData weighted_rows = rows;
  for (size_t i = 0; i < rows.labels.size(); ++i) {
    const double weight = i % 2 == 1 ? by_label[static_cast<size_t>(rows.labels[i])] : 1;
    weighted_rows.weights.push_back(static_cast<float>(weight));
  }
  const std::vector<float> expected = fit(plain, weighted_rows, quick()).weights();
  EXPECT_EQ(fit(weighted, rows, quick()).weights(), expected);
  EXPECT_NE(fit(plain, rows, quick()).weights(), expected);
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

TEST(Training, AnEndedRunHasTheWeightsOfItsBestEpoch) {
  struct Stopper final : TrainingObserver {
    std::atomic<bool> stops = false;
    void on_epoch(const Json& record) override { stops = record["epoch"] == 2; }
  } stopper;
  const FeatureSpace space = sample_space(mixed_tasks);
  const EncodedData rows = sample_rows(space, 500);
  FitSetting setting = quick(9);
  setting.with_validation = false;
  setting.run.observer = &stopper;
  setting.run.stop_request = &stopper.stops;
  const Fitted ended = fit(space, rows, setting);
  EXPECT_EQ(ended.history["stopped_by"], "request");
  EXPECT_EQ(ended.history["epochs"].size(), 2u);
  FitSetting whole = quick(2);
  whole.with_validation = false;
  EXPECT_EQ(ended.weights(), fit(space, rows, whole).weights());
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
  setting.run.checkpoint = testing::TempDir() + "gatewise_diverging_test.checkpoint";
  try {
    fit(space, sample_rows(space, 1000), setting);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("task \"amount\""));
    EXPECT_THAT(error.what(), testing::HasSubstr("learning rate"));
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("checkpoint"))) << "there is none";
  }
}

TEST(Training, PenaltiesStandInTheHistoryByName) {
  const FeatureSpace space = sample_space(binary_tasks);
  FitSetting setting = quick(2);
  setting.model = {{"gate", {{"type", "switch"}, {"balance_weight", 0.5}}}};
  const EncodedData rows = sample_rows(space, 600);
  const Fitted fitted = fit(space, rows, setting);
  for (const Json& epoch : fitted.history["epochs"]) {
    ASSERT_EQ(epoch["penalties"].size(), 1u);
    const double balance = epoch["penalties"]["balance"].get<double>();
    EXPECT_GT(balance, 0.49);  // the loss is 1 at least
    const double losses = epoch["losses"]["click"].get<double>() + epoch["losses"]["buy"].get<double>();
    EXPECT_NEAR(epoch["loss"].get<double>(), losses + balance, 1e-6);
  }
  setting.model = Json::object();
  EXPECT_FALSE(fit(space, rows, setting).history["epochs"][0].contains("penalties"));
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

// Seconds since 1970, say: 32 bits hold them to 64 seconds only.
TEST(Scoring, ASpreadFarSmallerThanTheMeanIsJudgedAsInTrainedUnits) {
  const FeatureSpace space = sample_space({make_task("moment", "regression")});
  FeatureSpace far = space;
  far.tasks[0].scaling = Scaling::fit(std::vector<double>{1.7e9 - 3, 1.7e9 + 3}, "standardise", 0, false);
  const EncodedData rows = sample_rows(space, 300, 0.1);
  const auto graph = build_graph(space, Json::object());
  Store<float> store(*graph);
  store.initialise(1);
  Pool pool(1);
  const EvaluationOptions options{{}, 20, 1, 4};
  const Json wanted = evaluate(*graph, store, space, rows, options, pool);
  const Json found = evaluate(*graph, store, far, rows, options, pool);
  for (const char* metric : {"rmse", "mae", "r2"}) {
    const double scale = metric == std::string("r2") ? 1 : 3;
    for (const char* figure : {"value", "low", "high"}) {
      EXPECT_NEAR(found["tasks"]["moment"][metric][figure].get<double>(),
                  scale * wanted["tasks"]["moment"][metric][figure].get<double>(), 1e-5)
          << metric << " " << figure;
    }
  }
  EXPECT_NEAR(found["calibration"]["moment"]["error"].get<double>(),
              3 * wanted["calibration"]["moment"]["error"].get<double>(), 1e-5);
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
    for (size_t row = 0; row < values.size(); ++row) EXPECT_GT(values[row], 50);
  }
}

}  // namespace
}  // namespace gatewise

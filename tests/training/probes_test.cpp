// What the history tells of experts and gates by epoch.
#include "training/probes.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "tests/training/fitted.h"

namespace gatewise {
namespace {

FitSetting probed(int64_t rows, int64_t every_steps) {
  FitSetting setting = quick(3);
  setting.model = {{"type", "cgc"}, {"shared_experts", 2}, {"task_experts", 1}};
  setting.options.probes = {{"rows", rows}, {"every_steps", every_steps}};
  return setting;
}

TEST(Probes, ChangeNothingThatIsTrained) {
  const FeatureSpace space = sample_space(binary_tasks);
  const EncodedData rows = sample_rows(space, 900, 0.1);
  EXPECT_EQ(fit(space, rows, probed(0, 0)).weights(), fit(space, rows, probed(200, 1)).weights());
}

TEST(Probes, AreWhatTheModelShowsOnItsSample) {
  const FeatureSpace space = sample_space(binary_tasks);
  // The sample is the 300 validation rows of fit(); the last epoch ends in a probe, and its weights are kept.
  FitSetting setting = probed(300, 5);
  setting.options.stop = {{"patience", 0}};
  const Fitted fitted = fit(space, sample_rows(space, 1000), setting);
  const Json& epochs = fitted.history["epochs"];
  ASSERT_EQ(epochs.size(), 3U);
  const Json& last = epochs[fitted.history["best_epoch"].get<size_t>() - 1]["probes"]["experts"];
  const EncodedData sample = sample_rows(space, 300, 0, 2);
  Pool pool(1);
  const std::vector<InnerValue> values =
      inner_values(*fitted.graph, *fitted.store, space, sample, {"experts", "gates/click"}, pool);
  const int64_t hidden = values[0].width / 4;
  for (int64_t expert = 0; expert < 4; ++expert) {
    double zeros = 0, size = 0;
    for (int64_t row = 0; row < 300; ++row) {
      for (int64_t unit = 0; unit < hidden; ++unit) {
        const float value = values[0].values[row * values[0].width + expert * hidden + unit];
        zeros += value == 0 ? 1 : 0;
        size += std::abs(value);
      }
    }
    EXPECT_NEAR(last["zero_share"][expert].get<double>(), zeros / static_cast<double>(300 * hidden), 1e-9);
    EXPECT_NEAR(last["scale"][expert].get<double>(), size / static_cast<double>(300 * hidden), 1e-6);
  }
  for (size_t expert = 0; expert < 3; ++expert) {
    double mean = 0;
    for (size_t row = 0; row < 300; ++row) mean += values[1].values[row * 3 + expert] / 300;
    EXPECT_NEAR(last["gates"]["gates/click"]["weights"][expert].get<double>(), mean, 1e-6);
  }
  // Experts of their own get nothing from the other task.
  EXPECT_GT(last["gradient"]["click"][0].get<double>(), 0);
  EXPECT_EQ(last["gradient"]["click"][1].get<double>(), 0);
  EXPECT_EQ(last["gradient"]["buy"][0].get<double>(), 0);
  EXPECT_GT(last["gradient"]["buy"][2].get<double>(), 0);
}

// Few steps leave no probe due: the first epoch and the last one have theirs in any case.
TEST(Probes, AreOfTheLastEpochHoweverTrainingEnds) {
  const FeatureSpace space = sample_space(binary_tasks);
  FitSetting setting = probed(64, 1000);
  setting.options.epochs = 4;
  setting.options.stop = {{"patience", 0}};
  const auto probed_epochs = [&] {
    std::vector<int64_t> epochs;
    const Json history = fit(space, sample_rows(space, 700), setting).history;
    for (const Json& epoch : history["epochs"]) {
      if (epoch.contains("probes")) epochs.push_back(epoch["epoch"]);
    }
    EXPECT_NE(history["epochs"].front().value("probes", Json()),
              history["epochs"].back().value("probes", Json()));
    return epochs;
  };
  EXPECT_EQ(probed_epochs(), (std::vector<int64_t>{1, 4}));
  setting.run.ends_after = [](const Json& epoch) { return epoch["epoch"] == 3; };
  EXPECT_EQ(probed_epochs(), (std::vector<int64_t>{1, 3}));
}

TEST(Probes, GoOnWhereAnInterruptedRunStopped) {
  const FeatureSpace space = sample_space(binary_tasks);
  const EncodedData rows = sample_rows(space, 700);
  FitSetting setting = probed(64, 3);
  const Json expected = fit(space, rows, setting).history;
  std::atomic<bool> stop = true;
  setting.run.checkpoint = testing::TempDir() + "gatewise_probes.checkpoint";
  setting.run.is_resuming = true;
  setting.run.stop_request = &stop;
  std::filesystem::remove(setting.run.checkpoint);
  Json history;
  do {
    history = fit(space, rows, setting).history;
  } while (history.value("stopped_by", "") == "request");
  std::filesystem::remove(setting.run.checkpoint);
  ASSERT_EQ(history["epochs"].size(), expected["epochs"].size());
  for (size_t epoch = 0; epoch < expected["epochs"].size(); ++epoch)
    EXPECT_EQ(history["epochs"][epoch]["probes"], expected["epochs"][epoch]["probes"]) << epoch;
}

// A task of which one row in four has a label has a quarter of the gradient where losses are divided by rows.
TEST(Probes, DivideLossesAsTrainingDoes) {
  const FeatureSpace space = sample_space(binary_tasks);
  EncodedData rows = sample_rows(space, 64);
  for (int64_t row = 0; row < rows.rows; ++row) {
    if (row % 4 != 0) rows.labels[row * 2] = NAN;
  }
  const auto graph = build_graph(space, {{"type", "mmoe"}});
  Store<float> store(*graph);
  store.initialise(1);
  Pool pool(1);
  const auto gradient = [&](const std::string& normaliser) {
    Prober prober(*graph, store, space, rows, {}, 64, normaliser, pool);
    prober.measure(1);
    return prober.record()["experts"]["gradient"];
  };
  const Json present = gradient("present"), batch = gradient("batch");
  EXPECT_NEAR(batch["click"][0].get<double>(), present["click"][0].get<double>() / 4, 1e-6);
  EXPECT_NEAR(batch["buy"][0].get<double>(), present["buy"][0].get<double>(), 1e-6);
}

TEST(Probes, KeepToTheirShareOfTheWork) {
  const FeatureSpace space = sample_space(binary_tasks);
  const EncodedData rows = sample_rows(space, 300);
  const auto graph = build_graph(space, {{"type", "mmoe"}});
  Store<float> store(*graph);
  store.initialise(1);
  Pool pool(1);
  const Prober prober(*graph, store, space, rows, {}, 1024, "present", pool);
  // 256 rows forward twice and backward twice are 512 rows of training: one in a hundred of 50 steps.
  EXPECT_TRUE(prober.is_due(50));
  EXPECT_FALSE(prober.is_due(49));
}

}  // namespace
}  // namespace gatewise

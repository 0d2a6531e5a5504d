// When checkpoints are written, and which runs they belong to.
#include <filesystem>

#include "model_file/checkpoint.h"
#include "tests/base/message_of.h"
#include "tests/base/temporary_folder.h"
#include "tests/training/fitted.h"
#include "training/batch_source.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

class CheckpointsTest : public testing::Test {
 protected:
  // A run that is stopped after its first step.
  void interrupt(FitSetting setting) const {
    std::atomic<bool> request = true;
    setting.run.stop_request = &request;
    fit(space_, rows_, setting);
  }
  FitSetting setting() const {
    FitSetting setting = quick(2);
    setting.run.checkpoint = path_;
    setting.run.identity = Json::array({Json::array({"files.train[0].bytes", 10})});
    return setting;
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.file("model.checkpoint");
  const FeatureSpace space_ = sample_space(binary_tasks);
  const EncodedData rows_ = sample_rows(space_, 500);
};

TEST_F(CheckpointsTest, OnlyTheSameRunGoesOnFromOne) {
  interrupt(setting());
  const auto refused = [&](const std::function<void(FitSetting&, FeatureSpace&)>& change) {
    FitSetting other = setting();
    other.run.is_resuming = true;
    FeatureSpace space = space_;
    change(other, space);
    return message_of([&] { fit(space, rows_, other); });
  };
  const auto with = [&](const char* table, const Json& value) {
    return refused([&](FitSetting& other, FeatureSpace&) {
      Json& options = table == std::string("optimiser")  ? other.options.optimiser
                      : table == std::string("schedule") ? other.options.schedule
                                                         : other.options.stop;
      options.update(value);
    });
  };
  EXPECT_THAT(with("optimiser", {{"weight_decay", 0.5}}),
              HasSubstr("training.optimiser.weight_decay = 0.0, the run has 0.5"));
  EXPECT_THAT(with("optimiser", {{"kind", "adamw"}}), HasSubstr("training.optimiser.kind = \"adam\""));
  EXPECT_THAT(with("schedule", {{"kind", "cosine"}}), HasSubstr("training.schedule.kind"));
  EXPECT_THAT(with("stop", {{"metric", "log_loss"}}), HasSubstr("training.stop.metric"));
  EXPECT_THAT(refused([](FitSetting& other, FeatureSpace&) { other.options.normaliser = "batch"; }),
              HasSubstr("training.normaliser"));
  EXPECT_THAT(refused([](FitSetting&, FeatureSpace& space) { space.tasks[0].weight = 0; }),
              HasSubstr("digest of the tasks"));
  EXPECT_THAT(refused([](FitSetting& other, FeatureSpace&) {
                other.model["gate"] = {{"type", "sigmoid"}};
              }),
              HasSubstr("digest of the graph"));
  EXPECT_THAT(refused([](FitSetting& other, FeatureSpace&) { other.run.identity[0][1] = 11; }),
              HasSubstr("files.train[0].bytes = 10, the run has 11"));
  EXPECT_THAT(refused([](FitSetting& other, FeatureSpace&) { other.run.identity = Json::array(); }),
              HasSubstr("files.train[0].bytes = 10, the run has nothing"));
  FitSetting longer = setting();
  longer.run.is_resuming = true;
  longer.options.epochs = 3;
  EXPECT_EQ(fit(space_, rows_, longer).history["epochs"].size(), 3u);
}

TEST_F(CheckpointsTest, ADivergedRunGoesOnWithALowerRateAndItsHistorySaysSo) {
  interrupt(setting());
  FitSetting lower = setting();
  lower.run.is_resuming = true;
  lower.options.optimiser = {{"rate", 0.001}, {"clip_norm", 1}};
  const std::string warnings = fit(space_, rows_, lower).history["warnings"].dump();
  EXPECT_THAT(warnings, HasSubstr("training.optimiser.rate was 0.01"));
  EXPECT_THAT(warnings, HasSubstr("training.optimiser.clip_norm was 0.0"));
}

TEST_F(CheckpointsTest, OneOfAnEarlierVersionIsRefusedByThatName) {
  interrupt(setting());
  const LoadedCheckpoint loaded = load_checkpoint(path_);
  Checkpoint old{loaded.state, {}};
  old.state["identity"] = {{"seed", 1}, {"rows", 500}};
  write_checkpoint(path_, old);
  FitSetting again = setting();
  again.run.is_resuming = true;
  EXPECT_THAT(message_of([&] { fit(space_, rows_, again); }), HasSubstr("written by an earlier Gatewise"));
}

TEST_F(CheckpointsTest, EndsOfEpochsAreNoReasonToWriteOneButTheEndOfTrainingIs) {
  struct Watcher final : TrainingObserver {
    std::string path;
    int64_t found = 0;
    void on_epoch(const Json&) override { found += std::filesystem::exists(path) ? 1 : 0; }
  } watcher;
  watcher.path = path_;
  FitSetting often = setting();
  often.options.epochs = 4;
  often.options.checkpoint_seconds = 3600;
  often.run.observer = &watcher;
  fit(space_, rows_, often);
  EXPECT_EQ(watcher.found, 0);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(CheckpointsTest, TheHistoryHasTheMostMemoryOfAllPartsOfTheRun) {
  interrupt(setting());
  const LoadedCheckpoint loaded = load_checkpoint(path_);
  ASSERT_GT(loaded.state["activation_bytes"].get<int64_t>(), 0);
  Checkpoint more{loaded.state, {}};
  for (const std::string& name : loaded.tensors.names()) {
    const TensorFile::Entry& entry = loaded.tensors.entry(name);
    if (name != "state") more.tensors.push_back({name, entry.dtype, entry.shape, entry.bytes.data()});
  }
  more.state["activation_bytes"] = 123456789;
  const std::string copy = path_ + ".copy";
  write_checkpoint(copy, more);
  FitSetting again = setting();
  again.run.checkpoint = copy;
  again.run.is_resuming = true;
  EXPECT_EQ(fit(space_, rows_, again).history["activation_bytes"], 123456789);
  std::filesystem::remove(copy);
}

TEST(Batches, ALastRowAloneJoinsTheBatchBeforeItWhereVariancesAreNeeded) {
  const FeatureSpace space = sample_space(binary_tasks);
  FitSetting setting = quick(2);
  setting.options.optimiser = {{"rate", 0.01}};
  setting.options.batch_rows = 50;
  const EncodedData rows = sample_rows(space, 401);
  setting.model = {{"expert", {{"normalisation", "batch"}}}};
  const Fitted joined = fit(space, rows, setting);
  for (const float weight : joined.weights()) ASSERT_TRUE(std::isfinite(weight));
  const auto steps_of = [&](const Json& model) {
    const auto graph = build_graph(space, model);
    BatchLoader loader(*graph, space);
    Pool pool(1);
    const TrainingData data{.train = &rows};
    return BatchSource(*graph, data, setting.options, loader, pool).steps_per_epoch();
  };
  EXPECT_EQ(steps_of(setting.model), 8);
  EXPECT_EQ(steps_of(Json::object()), 9);
  setting.options.batch_rows = 1;
  EXPECT_THAT(message_of([&] { fit(space, rows, setting); }), HasSubstr("normalisation = \"layer\""));
}

}  // namespace
}  // namespace gatewise

#include "training/task_sampling.h"

#include <filesystem>

#include "tests/base/message_of.h"
#include "tests/training/sample_data.h"
#include "training/model.h"
#include "training/trainer.h"

namespace gatewise {
namespace {

// 900 rows of task 0, 90 of task 2 and 10 of task 3, mixed; none of task 1.
std::vector<uint32_t> uneven_tasks() {
  std::vector<uint32_t> tasks;
  for (int row = 0; row < 1000; ++row) {
    const int place = row * 7 % 1000;
    tasks.push_back(place < 900 ? 0 : place < 990 ? 2 : 3);
  }
  return tasks;
}

std::vector<int64_t> epoch_of(const TaskSampler& sampler, int64_t epoch) {
  std::vector<int64_t> rows;
  for (int64_t position = 0; position < 1000; ++position) rows.push_back(sampler.row(epoch, position));
  return rows;
}

TEST(TaskSampling, SharesFollowTheTemperature) {
  const std::vector<uint32_t> tasks = uneven_tasks();
  EXPECT_THAT(TaskSampler(tasks, 1, 1).quotas(), testing::ElementsAre(900, 0, 90, 10));
  // 30, 9.487 and 3.162 of 42.649
  EXPECT_THAT(TaskSampler(tasks, 2, 1).quotas(), testing::ElementsAre(703, 0, 223, 74));
  EXPECT_THAT(TaskSampler(tasks, 1e9, 1).quotas(), testing::ElementsAre(334, 0, 333, 333));
  // Powers beyond what numbers hold.
  EXPECT_THAT(TaskSampler(tasks, 0.005, 1).quotas(), testing::ElementsAre(1000, 0, 0, 0));
  EXPECT_THAT(TaskSampler(tasks, 1e-300, 1).quotas(), testing::ElementsAre(1000, 0, 0, 0));
  const TaskSampler sampler(tasks, 2, 1);
  std::vector<int64_t> counts(4, 0);
  for (const int64_t row : epoch_of(sampler, 3)) ++counts[tasks[row]];
  EXPECT_THAT(counts, testing::ElementsAre(703, 0, 223, 74));
}

TEST(TaskSampling, AsTheyAreTakesEveryRowOnceInANewOrder) {
  const TaskSampler sampler(uneven_tasks(), 1, 1);
  std::vector<int64_t> first = epoch_of(sampler, 0), second = epoch_of(sampler, 1);
  EXPECT_NE(first, second);
  EXPECT_NE(first, epoch_of(TaskSampler(uneven_tasks(), 1, 2), 0));
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  for (int64_t row = 0; row < 1000; ++row) EXPECT_EQ(first[row], row);
  EXPECT_EQ(first, second);
}

TEST(TaskSampling, NoRowComesTwiceBeforeAllOfItsTaskCameOnce) {
  const std::vector<uint32_t> tasks = uneven_tasks();
  const TaskSampler sampler(tasks, 2, 1);
  std::vector<int64_t> seen(1000, 0);
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    for (const int64_t row : epoch_of(sampler, epoch)) ++seen[row];
    for (const uint32_t task : {0u, 2u, 3u}) {
      int64_t least = 1 << 30, most = 0;
      for (size_t row = 0; row < 1000; ++row) {
        if (tasks[row] != task) continue;
        least = std::min(least, seen[row]);
        most = std::max(most, seen[row]);
      }
      EXPECT_LE(most - least, 1) << "task " << task << " after epoch " << epoch;
    }
  }
}

TEST(TaskSampling, AResumedRunGivesTheBitsOfAnUninterruptedOne) {
  FeatureSpace space = sample_space({make_task("a", "binary"), make_task("b", "binary")});
  space.task_column = "domain";
  EncodedData rows = sample_rows(space, 400);
  rows.tasks = 1;
  rows.labels.resize(400);
  for (uint32_t row = 0; row < 400; ++row) rows.row_task.push_back(row % 10 == 0 ? 1 : 0);
  TrainingOptions options;
  options.epochs = 2;
  options.batch_rows = 150;
  options.task_sampling = {{"temperature", 3.0}};
  const auto weights_after = [&](const TrainingRun& run) {
    const auto graph = build_graph(space, {{"type", "shared_bottom"}});
    Store<float> store(*graph);
    store.initialise(1);
    Pool pool(1);
    const Json history = train(*graph, store, space, {.train = &rows}, options, run, pool);
    std::vector<float> weights(store.arena().data(), store.arena().data() + store.arena().size());
    return std::pair(history["stopped_by"].get<std::string>(), weights);
  };
  const std::vector<float> expected = weights_after({}).second;
  std::atomic<bool> stop{true};  // every part runs a single step
  TrainingRun run;
  run.checkpoint = testing::TempDir() + "gatewise_task_sampling.checkpoint";
  run.is_resuming = true;
  run.stop_request = &stop;
  std::filesystem::remove(run.checkpoint);
  auto part = weights_after(run);
  for (int parts = 0; part.first == "request" && parts < 20; ++parts) part = weights_after(run);
  EXPECT_EQ(part.second, expected);
  std::filesystem::remove(run.checkpoint);
  options.task_sampling = Json::object();
  EXPECT_NE(weights_after({}).second, expected);
  rows.row_task.clear();
  space.task_column.clear();
  rows = sample_rows(space, 400);
  options.task_sampling = {{"temperature", 3.0}};
  EXPECT_THAT(message_of([&] { weights_after({}); }),
              testing::HasSubstr("training.task_sampling: rows are drawn by the task they belong to"));
}

}  // namespace
}  // namespace gatewise

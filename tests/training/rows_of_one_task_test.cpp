// Training and scoring of rows that belong to one task each.
#include <numeric>

#include "base/error.h"
#include "tests/base/message_of.h"
#include "tests/training/sample_data.h"
#include "training/batches.h"
#include "training/model.h"
#include "training/task_gradients.h"
#include "training/trainer.h"

namespace gatewise {
namespace {

std::vector<TaskSpace> alike_tasks(const std::string& kind, int64_t count) {
  std::vector<TaskSpace> tasks;
  for (int64_t task = 0; task < count; ++task) {
    tasks.push_back(make_task(fmt::format("task_{}", task), kind));
    tasks.back().weight = 1 + 0.5 * static_cast<double>(task);
  }
  return tasks;
}

FeatureSpace own_space(std::vector<TaskSpace> tasks) {
  FeatureSpace space = sample_space(std::move(tasks));
  space.task_column = "domain";
  return space;
}

// The rows of `all`, of which each keeps the label of one task; the last task has a single row.
EncodedData own_rows_of(const EncodedData& all) {
  EncodedData own = all;
  own.tasks = 1;
  own.labels.clear();
  own.weights.clear();
  const auto last = static_cast<uint32_t>(all.tasks - 1);
  for (int64_t row = 0; row < all.rows; ++row) {
    const auto task = row == 5 || last == 0 ? last : static_cast<uint32_t>((row * row + row / 7) % last);
    own.row_task.push_back(task);
    own.labels.push_back(all.labels[row * all.tasks + task]);
    own.weights.push_back(static_cast<float>(1 + row % 3));
  }
  return own;
}

// The same as a column of labels for every task.
EncodedData dense_rows_of(const EncodedData& own, int64_t tasks) {
  EncodedData dense = own;
  dense.tasks = tasks;
  dense.labels.assign(static_cast<size_t>(own.rows * tasks), NAN);
  dense.weights.assign(dense.labels.size(), 1);
  for (int64_t row = 0; row < own.rows; ++row) {
    dense.labels[row * tasks + own.row_task[row]] = own.labels[row];
    dense.weights[row * tasks + own.row_task[row]] = own.weights[row];
  }
  return dense;
}

struct Outcome {
  Json history, metrics;
  std::vector<ValueList> predictions;
  std::vector<float> weights;
};

Outcome train_and_judge(const FeatureSpace& space, const EncodedData& rows, TrainingOptions options,
                        int threads = 1) {
  const auto graph = build_graph(space, {{"type", "mmoe"}, {"experts", 3}});
  Store<float> store(*graph);
  store.initialise(1);
  Pool pool(threads);
  options.optimiser = {{"kind", "sgd"}, {"rate", 0.05}};
  Outcome outcome;
  outcome.history = train(*graph, store, space, {.train = &rows, .validation = &rows}, options, {}, pool);
  outcome.metrics = evaluate(*graph, store, space, rows, {{}, 0, 1}, pool)["tasks"];
  outcome.predictions = predict(*graph, store, space, rows, pool);
  outcome.weights.assign(store.arena().data(), store.arena().data() + store.arena().size());
  return outcome;
}

TrainingOptions few_steps(const std::string& normaliser = "present") {
  TrainingOptions options;
  options.epochs = 2;
  options.batch_rows = 100;
  options.normaliser = normaliser;
  return options;
}

TEST(RowsOfOneTask, HaveTheGradientsOfRowsWithTheOtherLabelsMissing) {
  const std::vector<TaskSpace> tasks = alike_tasks("binary", 4);
  const FeatureSpace all = sample_space(tasks), own = own_space(tasks);
  const EncodedData rows = own_rows_of(sample_rows(all, 60, 0.1));
  std::vector<int64_t> batch(static_cast<size_t>(rows.rows));
  std::iota(batch.begin(), batch.end(), int64_t{0});
  Pool pool(1);
  const auto norms_of = [&](const FeatureSpace& space, const EncodedData& data,
                            const std::string& normaliser) {
    const auto graph = build_graph(space, {{"type", "mmoe"}, {"experts", 3}});
    Store<float> store(*graph);
    store.initialise(1);
    TaskGradients gradients(*graph, store, space, pool, rows.rows, normaliser);
    std::vector<double> norms;
    for (const Aligned<float>& gradient : gradients.of(data, batch, 0)) {
      double squares = 0;
      for (const GradientBlock& block : gradient_blocks(store.layout()))
        squares += gradient.size() > 0 ? squared_norm(block, gradient.data()) : 0;
      norms.push_back(std::sqrt(squares));
    }
    return norms;
  };
  const std::vector<double> of_present = norms_of(own, rows, "present");
  for (const std::string normaliser : {"present", "batch"}) {
    const std::vector<double> found = norms_of(own, rows, normaliser),
                              expected = norms_of(all, dense_rows_of(rows, 4), normaliser);
    // The last task has a single row, of which no gradient is taken.
    for (size_t task = 0; task < 3; ++task) {
      EXPECT_NEAR(found[task], expected[task], 1e-4 * expected[task]) << normaliser;
      EXPECT_EQ(found[task] < 0.9 * of_present[task], normaliser == "batch");
    }
  }
}

TEST(RowsOfOneTask, TrainLikeRowsWithTheOtherLabelsMissing) {
  for (const std::string kind : {"binary", "regression"}) {
    for (const std::string normaliser : {"present", "batch"}) {
      SCOPED_TRACE(kind + " " + normaliser);
      std::vector<TaskSpace> tasks = alike_tasks(kind, 4);
      if (kind == "binary") tasks[1].class_weights = {1, 3};
      if (kind == "regression")
        tasks[2].scaling = Scaling::fit(std::vector<double>{10, 30}, "standardise", 0, false);
      const FeatureSpace all = sample_space(tasks), own = own_space(tasks);
      const EncodedData rows = own_rows_of(sample_rows(all, 350, 0.1));
      const Outcome run = train_and_judge(own, rows, few_steps(normaliser));
      const Outcome expected = train_and_judge(all, dense_rows_of(rows, 4), few_steps(normaliser));
      for (size_t epoch = 0; epoch < 2; ++epoch) {
        const Json &a = run.history["epochs"][epoch], &b = expected.history["epochs"][epoch];
        EXPECT_NEAR(a["loss"].get<double>(), b["loss"].get<double>(), 1e-4);
        for (const TaskSpace& task : tasks)
          EXPECT_NEAR(a["losses"][task.name].get<double>(), b["losses"][task.name].get<double>(), 1e-4)
              << task.name;
      }
      ASSERT_EQ(run.predictions.size(), 1u);
      for (int64_t row = 0; row < rows.rows; ++row)
        ASSERT_NEAR(run.predictions[0][row], expected.predictions[rows.row_task[row]][row],
                    1e-4 * (1 + std::abs(run.predictions[0][row])));
      for (const auto& [task, metrics] : expected.metrics.items()) {
        for (const auto& [name, metric] : metrics.items()) {
          const Json& value = run.metrics[task][name]["value"];
          EXPECT_EQ(value.is_null(), metric["value"].is_null()) << task << " " << name;
          if (!value.is_null()) {
            EXPECT_NEAR(value.get<double>(), metric["value"].get<double>(), 2e-3) << task << " " << name;
          }
        }
      }
    }
  }
}

TEST(RowsOfOneTask, TrainToTheSameBitsForAnyNumberOfThreads) {
  const FeatureSpace own = own_space(alike_tasks("binary", 5));
  const EncodedData rows = own_rows_of(sample_rows(own, 700));
  const Outcome expected = train_and_judge(own, rows, few_steps());
  for (const int threads : {2, 4})
    EXPECT_EQ(train_and_judge(own, rows, few_steps(), threads).weights, expected.weights);
}

TEST(RowsOfOneTask, ABatchNeedNotHoldEveryTask) {
  const FeatureSpace own = own_space(alike_tasks("binary", 40));
  const EncodedData rows = own_rows_of(sample_rows(own, 60));
  TrainingOptions options = few_steps();
  options.batch_rows = 7;
  const Outcome outcome = train_and_judge(own, rows, options);
  for (const float weight : outcome.weights) ASSERT_TRUE(std::isfinite(weight));
  // A task that has no row in the table is undefined, never an error.
  uint32_t absent = 0;
  while (std::find(rows.row_task.begin(), rows.row_task.end(), absent) != rows.row_task.end()) ++absent;
  ASSERT_LT(absent, 40u);
  const std::string& name = own.tasks[absent].name;
  EXPECT_EQ(outcome.history["epochs"][1]["losses"][name], 0.0);
  EXPECT_TRUE(outcome.metrics[name]["auc"]["value"].is_null());
}

TEST(RowsOfOneTask, OneTaskIsAnOrdinaryTask) {
  const FeatureSpace own = own_space(alike_tasks("binary", 1));
  const FeatureSpace all = sample_space(own.tasks);
  const EncodedData rows = own_rows_of(sample_rows(own, 300));
  const Outcome run = train_and_judge(own, rows, few_steps());
  const Outcome expected = train_and_judge(all, dense_rows_of(rows, 1), few_steps());
  for (int64_t row = 0; row < rows.rows; ++row)
    ASSERT_NEAR(run.predictions[0][row], expected.predictions[0][row], 1e-5);
}

TEST(RowsOfOneTask, ALossThatIsNotFiniteNamesItsTask) {
  FeatureSpace own = own_space(alike_tasks("regression", 3));
  EncodedData rows = own_rows_of(sample_rows(own, 300));
  for (int64_t row = 0; row < rows.rows; ++row) {
    if (rows.row_task[row] == 1) rows.labels[row] = 1e30f;
  }
  EXPECT_THAT(message_of([&] { train_and_judge(own, rows, few_steps()); }),
              testing::HasSubstr("the loss of task \"task_1\" is not finite"));
}

TEST(RowsOfOneTask, AreSortedByTaskWithinABatch) {
  const FeatureSpace own = own_space(alike_tasks("binary", 4));
  const auto graph = build_graph(own, {{"type", "shared_bottom"}});
  const EncodedData rows = own_rows_of(sample_rows(own, 30));
  BatchLoader loader(*graph, own);
  Pool pool(1);
  std::vector<int64_t> wanted(30);
  for (int64_t i = 0; i < 30; ++i) wanted[i] = (7 * i + 3) % 30;
  const Batch<float>& batch = loader.gather(rows, wanted, pool);
  const Ids& ids = batch.ids.at(find_leaf(*graph, Leaf::Ids, "row_task"));
  EXPECT_TRUE(std::is_sorted(ids.ids, ids.ids + 30));
  std::stable_sort(wanted.begin(), wanted.end(),
                   [&](int64_t a, int64_t b) { return rows.row_task[a] < rows.row_task[b]; });
  const ConstRows<float>& numeric = batch.inputs.at(find_leaf(*graph, Leaf::Input, "numeric"));
  double sum = 0;
  for (int64_t i = 0; i < 30; ++i) {
    EXPECT_EQ(ids.ids[i], rows.row_task[wanted[i]]);
    EXPECT_EQ(numeric.data[i * numeric.stride], rows.numeric[wanted[i] * rows.numeric_width]);
    sum += batch.coefficients.data[i];
  }
  EXPECT_NEAR(sum, 1 + 1.5 + 2 + 2.5, 1e-5);  // every task's weight, whatever its rows
}

// Whom an expert of limited capacity drops depends on the order in which the batch drew its rows, not on
// their tasks.
TEST(RowsOfOneTask, AllTasksShareTheRoomOfAnExpert) {
  const FeatureSpace own = own_space(alike_tasks("binary", 4));
  EncodedData rows = own_rows_of(sample_rows(own, 40));
  for (uint32_t row = 0; row < 40; ++row) rows.row_task[row] = row % 4;
  const Json gate = {{"type", "switch"}, {"capacity_factor", 1.0}, {"jitter", 0}};
  const auto graph = build_graph(own, {{"type", "mmoe"}, {"experts", 5}, {"gate", gate}});
  Store<float> store(*graph);
  store.initialise(1);
  // All rows choose the first expert, which takes an even share: 8. The others' output is 0.
  for (const std::string& path : store.paths()) {
    if (path.starts_with("gates/")) store.set(path, std::vector<float>(store.get(path).size(), 0));
  }
  Pool pool(1);
  PlanOptions options;
  options.watched = {graph->find("logits")};
  Program<float> program(store, pool, options);
  BatchLoader loader(*graph, own);
  std::vector<int64_t> wanted(40);
  for (int64_t i = 0; i < 40; ++i) wanted[i] = 39 - i;
  const Batch<float>& batch = loader.gather(rows, wanted, pool);
  program.forward(batch, {.is_training = true});
  const ConstRows<float> logits = program.value(options.watched[0]);
  const Ids& tasks = batch.ids.at(find_leaf(*graph, Leaf::Ids, "row_task"));
  std::vector<int64_t> taken(4, 0);
  for (int64_t row = 0; row < 40; ++row) taken[tasks.ids[row]] += logits.data[row * logits.stride] != 0;
  EXPECT_THAT(taken, testing::ElementsAre(2, 2, 2, 2));
}

}  // namespace
}  // namespace gatewise

// Models of single tasks, the comparison with them, and whether anything is shared.
#include "diagnosis/sharing.h"

#include <gmock/gmock.h>

#include <cmath>

#include "diagnosis/shared_parts.h"
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

// Three models of each kind; `noise` makes the seeds' skills differ.
SeedDraws draws_of(double ours, double theirs, double noise = 0) {
  SeedDraws draws;
  for (const uint64_t seed : {11, 12})
    draws.shared.push_back(guesses("a", 3000, ours + (seed == 11 ? noise : -noise), seed));
  for (const uint64_t seed : {21, 22, 23})
    draws.singles.push_back(guesses("a", 3000, theirs + noise * (static_cast<double>(seed) - 22), seed));
  return draws;
}

Json compared(double ours, double theirs, double noise = 0) {
  return compare_with_single(guesses("a", 3000, ours, 1), draws_of(ours, theirs, noise), {})["a"];
}

TEST(Sharing, HelpsHurtsOrIsUnclear) {
  EXPECT_EQ(compared(1.0, 0.6)["verdict"], "helps");
  EXPECT_EQ(compared(0.6, 1.0)["verdict"], "hurts");
  EXPECT_EQ(compared(0.8, 0.8)["verdict"], "unclear");
}

// The same difference is no finding where another seed would have moved the models as far.
TEST(Sharing, IsNotClaimedWithinTheNoiseOfTraining) {
  const Json steady = compared(0.9, 0.8), noisy = compared(0.9, 0.8, 0.2);
  EXPECT_EQ(steady["verdict"], "helps");
  EXPECT_EQ(noisy["verdict"], "unclear");
  EXPECT_GT(noisy["rows_low"].get<double>(), 0);
  EXPECT_LT(noisy["low"].get<double>(), 0);
}

// Against the definition, with t(0.95, 4) = 2.776445.
TEST(Sharing, IntervalHoldsRowsAndSeeds) {
  const SeedDraws draws = draws_of(0.9, 0.8, 0.1);
  const JudgedModel model = guesses("a", 3000, 0.9, 1);
  const Json found = compare_with_single(model, draws, {})["a"];
  const auto value = [](const JudgedModel& of) {
    return *make_metric("auc")->evaluate(JudgedTask(of.space, 0, of.rows, of.predictions).input()).value;
  };
  std::vector<double> ours{value(model)}, theirs;
  for (const JudgedModel& draw : draws.shared) ours.push_back(value(draw));
  for (const JudgedModel& draw : draws.singles) theirs.push_back(value(draw));
  double squares = 0, mean_of_theirs = 0;
  for (const std::vector<double>& values : {ours, theirs}) {
    const double mean = (values[0] + values[1] + values[2]) / 3;
    mean_of_theirs = mean;
    for (const double each : values) squares += (each - mean) * (each - mean);
  }
  const double gain = ours[0] - mean_of_theirs, deviation = std::sqrt(squares / 4);
  EXPECT_NEAR(found["shared"].get<double>(), ours[0], 1e-12);
  EXPECT_NEAR(found["single"].get<double>(), mean_of_theirs, 1e-12);
  EXPECT_NEAR(found["gain"].get<double>(), gain, 1e-12);
  EXPECT_NEAR(found["seed_deviation"].get<double>(), deviation, 1e-12);
  EXPECT_EQ(found["shared_models"], 3);
  EXPECT_EQ(found["single_models"], 3);
  const double noise = 2.776445 * deviation * std::sqrt(1 + 1.0 / 3);
  EXPECT_LT(found["rows_low"].get<double>(), gain);
  EXPECT_NEAR(found["low"].get<double>(), gain - std::hypot(gain - found["rows_low"].get<double>(), noise),
              1e-6);
  EXPECT_NEAR(found["high"].get<double>(), gain + std::hypot(found["rows_high"].get<double>() - gain, noise),
              1e-6);
}

// The same rows are drawn for both, so what they have in common cancels; and one model of each kind tells
// nothing of another training.
TEST(Sharing, IsNotClaimedOfOneModelOfEachKind) {
  Json found = compare_with_single(guesses("a", 500, 1, 1), {{}, {guesses("a", 500, 1, 1)}}, {});
  EXPECT_EQ(found["a"]["gain"], 0);
  EXPECT_EQ(found["a"]["rows_low"], 0);
  EXPECT_EQ(found["a"]["rows_high"], 0);
  found = compare_with_single(guesses("a", 3000, 2, 1), {{}, {guesses("a", 3000, 0.1, 2)}}, {});
  EXPECT_GT(found["a"]["rows_low"].get<double>(), 0);
  EXPECT_TRUE(found["a"]["low"].is_null());
  EXPECT_EQ(found["a"]["verdict"], "unclear");
  EXPECT_THAT(sharing_text(found),
              testing::MatchesRegex("Not known for a \\(AUC \\+0\\.[0-9]*: one model of each kind .*"));
}

TEST(Sharing, RefusesOtherLabelsAndLeavesOtherTasksOut) {
  JudgedModel other = guesses("a", 500, 1, 1);
  other.rows.labels[3] = 1 - other.rows.labels[3];
  EXPECT_THAT(message_of([&] {
                compare_with_single(guesses("a", 500, 1, 1), {{}, {other}}, {});
              }),
              testing::HasSubstr("the labels of task \"a\" differ"));
  EXPECT_TRUE(compare_with_single(guesses("a", 500, 1, 1), {{}, {guesses("b", 500, 1, 1)}}, {}).empty());
}

TEST(Sharing, IsSaidInOneSentence) {
  Json tasks{{"a", compared(1.2, 0.6)}};
  tasks["b"] = {{"metric", "auc"}, {"verdict", "undefined"}, {"why", "one class"}};
  EXPECT_THAT(sharing_text(tasks),
              testing::MatchesRegex("Sharing helps a \\(AUC \\+0\\.[0-9]*, 95 % interval "
                                    "\\+0.* to \\+0.*\\); not comparable: b \\(one class\\)"));
  tasks["a"]["verdict"] = "hurts";
  EXPECT_THAT(sharing_text(tasks, "of embeddings alone "),
              testing::StartsWith("Sharing of embeddings alone hurts a"));
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
  const SeedDraws draws = train_rivals(configuration, rows, *rows.test, 2, pool,
                                       [&](const std::string& what) { told.push_back(what); });
  EXPECT_THAT(told,
              testing::ElementsAre("the model again",
                                   "a model of task " + table->labels()[0].name + " alone (1/2), seed 1 of 2",
                                   testing::HasSubstr("alone (1/2), seed 2 of 2"),
                                   testing::HasSubstr("alone (2/2), seed 1 of 2"),
                                   testing::HasSubstr("alone (2/2), seed 2 of 2")));
  ASSERT_EQ(draws.shared.size(), 1U);
  EXPECT_EQ(draws.shared[0].space.tasks.size(), 2U);
  EXPECT_EQ(draws.shared[0].predictions.size(), 2U);
  ASSERT_EQ(draws.singles.size(), 4U);
  EXPECT_NE(draws.singles[0].predictions[0][0], draws.singles[1].predictions[0][0]);
  const std::vector<JudgedModel> models{draws.singles[0], draws.singles[2]};
  ASSERT_EQ(models.size(), 2U);
  for (size_t task = 0; task < models.size(); ++task) {
    EXPECT_EQ(models[task].space.tasks.size(), 1U);
    ASSERT_EQ(models[task].predictions.size(), 1U);
    const JudgedTask judged(models[task].space, 0, models[task].rows, models[task].predictions);
    EXPECT_EQ(judged.input().rows, 1000);
    // Its own labels, not those of the other.
    for (int64_t row = 0; row < 20; ++row)
      EXPECT_EQ(judged.input().labels[row], rows.test->labels[row * 2 + static_cast<int64_t>(task)]);
    EXPECT_GT(make_metric("r2")->evaluate(judged.input()).value.value_or(0), 0.2) << task;
  }
}

SharedParts shared_by(const Json& model, const FeatureSpace& space) {
  const auto graph = build_graph(space, model);
  Store<float> store(*graph);
  store.initialise(1);
  Pool pool(1);
  return shared_parts(*graph, store, space, sample_rows(space, 200), pool);
}

TEST(SharedParts, AreWhatTwoTasksMove) {
  FeatureSpace space = sample_space(binary_tasks);
  EXPECT_EQ(shared_by({{"type", "mmoe"}}, space), SharedParts::Parameters);
  EXPECT_EQ(shared_by({{"type", "single_task"}}, space), SharedParts::Embeddings);
  EXPECT_EQ(shared_by({{"type", "linear"}}, space), SharedParts::Embeddings);
  space.tables.clear();
  space.ids.clear();
  space.bags.clear();
  EXPECT_EQ(shared_by({{"type", "single_task"}}, space), SharedParts::Nothing);
  EXPECT_EQ(shared_by({{"type", "linear"}}, space), SharedParts::Nothing);
  // A network of its own for every task, which a penalty ties to the others.
  EXPECT_EQ(shared_by({{"type", "l2_constrained"}}, space), SharedParts::Parameters);
  EXPECT_EQ(shared_by({{"type", "cgc"}}, space), SharedParts::Parameters);
  space.tasks.pop_back();
  EXPECT_EQ(shared_by({{"type", "mmoe"}}, space), SharedParts::Nothing);
}

}  // namespace
}  // namespace gatewise

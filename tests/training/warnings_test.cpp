// What training says aloud.
#include "training/warnings.h"

#include <set>

#include "tests/training/fitted.h"

namespace gatewise {
namespace {

TEST(Warnings, TellOfEqualUnitsEqualExpertsAndWildNumbers) {
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

TEST(Warnings, TellOfDeadUnitsAndDeadExperts) {
  const FeatureSpace space = sample_space({make_task("click", "binary")});
  const auto graph = build_graph(space, {{"experts", 4}, {"expert", {{"units", {6}}}}});
  Store<float> store(*graph);
  store.initialise(1);
  Pool pool(1);
  const EncodedData rows = sample_rows(space, 300);
  EXPECT_EQ(find_degenerate_units(*graph, store, space, rows, pool), std::vector<std::string>());
  // A bias that no input outweighs.
  const auto kill = [&](int64_t expert, int64_t units) {
    const std::string path = fmt::format("experts/{}/layer_0/bias", expert);
    std::vector<float> bias = store.get(path);
    std::fill_n(bias.begin(), units, -1e6f);
    store.set(path, bias);
  };
  for (int64_t expert = 0; expert < 4; ++expert) kill(expert, 3);
  EXPECT_THAT(find_degenerate_units(*graph, store, space, rows, pool),
              testing::ElementsAre(testing::HasSubstr("experts: 12 of 24 units are dead")));
  kill(2, 6);
  EXPECT_THAT(
      find_degenerate_units(*graph, store, space, rows, pool),
      testing::ElementsAre(testing::HasSubstr("experts: 1 of 4 are dead (0 on all 300 sampled rows): 2")));
}

TEST(Warnings, TellOfEventsWithoutTheOneBeforeThem) {
  const FeatureSpace space =
      sample_space({make_task("buy", "binary"), make_task("show", "binary"), make_task("click", "binary")});
  EncodedData rows;
  rows.rows = 5;
  rows.tasks = 3;
  const float missing = NAN;
  rows.labels = {0, 1, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, missing};
  const auto warnings = [&](const Json& model) {
    return find_broken_chain(space, rows, chain_of_tasks(space, model));
  };
  for (const char* type : {"esmm", "aitm"}) {
    const Json model{{"type", type}, {"chain", {"show", "click", "buy"}}};
    EXPECT_THAT(
        warnings(model),
        testing::ElementsAre(testing::HasSubstr("tasks.buy: 1 of its 3 rows with label 1 have click = 0")));
  }
  EXPECT_THAT(warnings({{"type", "esmm"}, {"chain", {"show", "buy", "click"}}}),
              testing::ElementsAre(testing::HasSubstr("tasks.click: 1 of its 2 rows")));
  EXPECT_TRUE(warnings({{"type", "mmoe"}}).empty());
  // A label that is missing where the event before it happened says nothing; the other one is a known 0.
  rows.labels = {missing, 1, 0, 0, 1, 1, missing, 1, 1, missing, 1, 0, 0, 1, 0};
  for (const char* type : {"esmm", "aitm"}) {
    const Json model{{"type", type}, {"chain", {"show", "click", "buy"}}};
    EXPECT_THAT(
        warnings(model),
        testing::ElementsAre(testing::HasSubstr("tasks.buy: 2 of the 3 rows with click = 0 have no label")));
  }
}

TEST(Warnings, TellOfTasksThatAreNoBetterThanChance) {
  const auto task = [](const Json& auc) { return Json{{"auc", {{"value", auc}}}}; };
  const Json validation{{"tasks",
                         {{"above", task(0.511)},
                          {"below", task(0.489)},
                          {"good", task(0.6)},
                          {"inverse", task(0.3)},
                          {"one_class", task(nullptr)},
                          {"amount", {{"r2", {{"value", 0.5}}}}},
                          {"price", {{"r2", {{"value", -9.5}}}}},
                          {"size", {{"r2", {{"value", nullptr}}}}}}}};
  EXPECT_THAT(find_stuck_tasks(validation),
              testing::ElementsAre(testing::StartsWith("task above: AUC is 0.5110 on validation rows"),
                                   testing::StartsWith("task below: AUC is 0.4890"),
                                   testing::StartsWith("task price: R2 is -9.5000")));
}

TEST(Warnings, TellOfLabelsThatAreFarFromZero) {
  FeatureSpace space = sample_space(
      {make_task("price", "regression"), make_task("count", "regression"), make_task("age", "regression")});
  space.tasks[1].loss = "poisson";
  EncodedData rows;
  rows.rows = 3;
  rows.tasks = 3;
  rows.labels = {250000, 900, 30, NAN, 700, 50, 350000, 800, 40};
  EXPECT_THAT(find_wild_labels(space, rows),
              testing::ElementsAre(testing::StartsWith("tasks.price: labels are 3.04e+05 in size")));
  rows.weights = {0, 1, 1, 1, 1, 1, 0, 1, 1};
  EXPECT_TRUE(find_wild_labels(space, rows).empty());
}

TEST(Warnings, TellOfClassesThatAreNotToldApart) {
  const FeatureSpace space = sample_space({make_task("grade", "multiclass", 3)});
  EncodedData rows;
  rows.rows = 5;
  rows.tasks = 1;
  rows.labels = {0, 0, 0, 1, NAN};
  const double entropy = -0.75 * std::log(0.75) - 0.25 * std::log(0.25);
  const auto warnings = [&](const Json& loss) {
    return find_stuck_classes({{"tasks", {{"grade", {{"log_loss", {{"value", loss}}}}}}}}, space, rows);
  };
  EXPECT_THAT(warnings(entropy + 0.01), testing::ElementsAre(testing::HasSubstr("by its share (0.5623)")));
  EXPECT_TRUE(warnings(entropy - 0.01).empty());
  EXPECT_TRUE(warnings(nullptr).empty());
}

TEST(Warnings, UnitsOfAnExpertAndExpertsStartDifferent) {
  const FeatureSpace space = sample_space(binary_tasks);
  for (const char* initializer : {"glorot_uniform", "he_normal"}) {
    const auto graph = build_graph(space, {{"expert", {{"units", {8}}, {"initializer", initializer}}}});
    Store<float> store(*graph);
    store.initialise(1);
    std::set<float> seen;
    size_t weights = 0;
    for (int64_t expert = 0; expert < 8; ++expert) {
      const std::vector<float> of_expert = store.get(fmt::format("experts/{}/layer_0/weight", expert));
      seen.insert(of_expert.begin(), of_expert.end());
      weights += of_expert.size();
    }
    EXPECT_GT(seen.size(), weights * 99 / 100) << initializer;
  }
}

}  // namespace
}  // namespace gatewise

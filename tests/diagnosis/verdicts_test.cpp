// A fault of every kind, planted into a small trained model, is named; the model it was planted into is
// called healthy. papers/diagnosis does the same with many models.
#include <gmock/gmock.h>

#include "diagnosis/diagnose.h"
#include "diagnosis/rows.h"
#include "tests/base/message_of.h"
#include "tests/training/fitted.h"

namespace gatewise {
namespace {

const std::vector<TaskSpace> two_tasks{make_task("click", "binary"), make_task("buy", "binary")};

Json cgc() {
  return {{"type", "cgc"}, {"shared_experts", 2}, {"task_experts", 1}, {"expert", {{"units", {8}}}}};
}

class Verdicts : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    space_ = sample_space(two_tasks);
    rows_ = sample_rows(space_, 2000, 0, 7);
    healthy_ = train_model(cgc(), sample_rows(space_, 2500));
  }

  static Fitted train_model(const Json& model, const EncodedData& rows, double weight = 1) {
    FeatureSpace space = space_;
    space.tasks[0].weight = weight;
    FitSetting setting = quick(6);
    setting.model = model;
    return fit(space, rows, setting);
  }

  // A model of the graph of `from` with its parameters.
  static Fitted copy(const Fitted& from) {
    Fitted model;
    model.graph = Graph::from_json(from.graph->to_json());
    model.store = std::make_unique<Store<float>>(*model.graph);
    for (const std::string& path : from.store->paths()) model.store->set(path, from.store->get(path));
    return model;
  }

  template <class Change>
  static void change(Fitted& model, const std::string& path, const Change& new_value) {
    std::vector<float> values = model.store->get(path);
    for (size_t i = 0; i < values.size(); ++i) values[i] = new_value(values[i], i);
    model.store->set(path, values);
  }

  static Json diagnosis_of(Fitted& model, const FeatureSpace& space, const EncodedData& rows,
                           const Json& configuration = Json::object()) {
    Pool pool(1);
    return diagnose(
        {*model.graph, *model.store, space, configuration, model.history, rows, {}, {}, "not asked", {}},
        pool);
  }

  // "kind: where" of every verdict.
  static std::vector<std::string> verdicts_of(Fitted& model, const EncodedData& rows) {
    std::vector<std::string> found;
    const Json diagnosis = diagnosis_of(model, space_, rows);
    for (const Json& verdict : diagnosis["verdicts"]) {
      EXPECT_GE(verdict["confidence"].get<double>(), 0);
      EXPECT_LE(verdict["confidence"].get<double>(), 1);
      EXPECT_FALSE(verdict["evidence"].empty());
      found.push_back(verdict["kind"].get<std::string>() + ": " + verdict["where"].get<std::string>());
    }
    return found;
  }

  inline static FeatureSpace space_;
  inline static EncodedData rows_;
  inline static Fitted healthy_;
};

TEST_F(Verdicts, NoneForAHealthyModel) { EXPECT_THAT(verdicts_of(healthy_, rows_), testing::IsEmpty()); }

TEST_F(Verdicts, CollapseOfADeadAndOfALoudExpert) {
  Fitted dead = copy(healthy_);
  change(dead, "shared_experts/1/layer_0/bias", [](float, size_t) { return -50.0F; });
  EXPECT_THAT(verdicts_of(dead, rows_), testing::Contains("collapse: shared_experts/1"));
  Fitted loud = copy(healthy_);
  change(loud, "task_experts/buy/0/layer_0/weight", [](float value, size_t) { return 100 * value; });
  EXPECT_THAT(verdicts_of(loud, rows_), testing::Contains("collapse: task_experts/buy/0"));
}

TEST_F(Verdicts, DegradationByATaskThatPullsHarder) {
  Fitted captured = train_model(cgc(), sample_rows(space_, 2500), 40);
  FeatureSpace space = space_;
  space.tasks[0].weight = 40;
  const Json diagnosis = diagnosis_of(captured, space, rows_);
  ASSERT_FALSE(diagnosis["verdicts"].empty());
  for (const Json& verdict : diagnosis["verdicts"]) {
    if (verdict["kind"] != "degradation") continue;
    EXPECT_EQ(verdict["tasks"], Json({"click"}));
    EXPECT_GT(verdict["evidence"]["gradient_share"].get<double>(), 0.8);
    return;
  }
  FAIL() << diagnosis["verdicts"].dump(1);
}

// Parts of the rows without a batch of their own say nothing against what the others show.
TEST_F(Verdicts, OfGradientsAreAsSureOnFewRowsAsTheirBatchesAre) {
  Fitted captured = train_model(cgc(), sample_rows(space_, 2500), 40);
  FeatureSpace space = space_;
  space.tasks[0].weight = 40;
  for (const int64_t rows : {100, 300}) {
    const EncodedData few = select_rows(rows_, spread_rows(rows_.rows, rows));
    const Json diagnosis = diagnosis_of(captured, space, few);
    double surest = 0;
    for (const Json& verdict : diagnosis["verdicts"]) {
      if (verdict["kind"] == "degradation" && verdict["evidence"]["gradient_share"].get<double>() > 0.93)
        surest = std::max(surest, verdict["confidence"].get<double>());
    }
    EXPECT_EQ(surest, 1) << rows << diagnosis["verdicts"].dump(1);
  }
}

// Training that divides every loss by the rows of the batch gives a task of few labels little gradient.
TEST_F(Verdicts, WeighGradientsAsTrainingDoes) {
  EncodedData rows = rows_;
  for (int64_t row = 0; row < rows.rows; ++row) {
    if (row % 10 != 0) rows.labels[row * 2 + 1] = NAN;
  }
  const auto share_ratio = [&](const std::string& normaliser) {
    const Json configuration{{"training", {{"normaliser", normaliser}}}, {"model", {{"type", "cgc"}}}};
    const Json found = diagnosis_of(healthy_, space_, rows, configuration);
    const Json shares = found["levels"][0]["experts"][2]["gradient_shares"];
    return shares["buy"].get<double>() / shares["click"].get<double>();
  };
  EXPECT_NEAR(share_ratio("batch"), 0.1 * share_ratio("present"), 1e-4);
}

// A gate of the row's task is shown task by task: what it is worth to that task, and how it moved in
// training.
TEST_F(Verdicts, TellTheGatesOfRowsOfOneTaskApart) {
  FeatureSpace space = space_;
  space.task_column = "task";
  const auto own_rows = [&](uint64_t seed) {
    EncodedData rows = sample_rows(space, 600, 0, seed);
    std::vector<float> labels;
    for (int64_t row = 0; row < rows.rows; ++row) {
      rows.row_task.push_back(row % 3 == 0 ? 1 : 0);
      labels.push_back(rows.labels[row * 2 + rows.row_task.back()]);
    }
    rows.labels = labels;
    rows.tasks = 1;
    return rows;
  };
  FitSetting setting = quick(2);
  setting.model = {{"type", "mmoe"}, {"experts", 4}, {"gate", {{"type", "top_k"}, {"k", 1}}}};
  setting.options.probes = {{"rows", 600}, {"every_steps", 1000}};
  setting.options.stop = {{"patience", 0}};
  setting.with_validation = false;
  const EncodedData rows = own_rows(1);
  Fitted model = fit(space, rows, setting);
  // The last epoch's probe and the diagnosis see the same rows and weights.
  const Json level = diagnosis_of(model, space, rows)["levels"][0];
  ASSERT_EQ(level["gates"].size(), 2U);
  for (const Json& gate : level["gates"]) {
    ASSERT_EQ(gate["uniform"].size(), 1U);
    EXPECT_TRUE(gate["uniform"].contains(gate["task"].get<std::string>()));
    ASSERT_TRUE(gate.contains("training")) << gate.dump(1);
    for (size_t expert = 0; expert < 4; ++expert) {
      EXPECT_NEAR(gate["training"]["weights"].back()[expert].get<double>(),
                  gate["weights"][expert].get<double>(), 1e-6);
    }
  }
  const Json probes = model.history["epochs"].back()["probes"]["experts"];
  for (size_t expert = 0; expert < 4; ++expert) {
    if (level["experts"][expert]["rows"] == 0) {
      EXPECT_TRUE(probes["scale"][expert].is_null());
      continue;
    }
    EXPECT_LT(level["experts"][expert]["rows"], 600);
    EXPECT_NEAR(probes["scale"][expert].get<double>(), level["experts"][expert]["scale"].get<double>(), 1e-6);
    EXPECT_NEAR(probes["zero_share"][expert].get<double>(),
                level["experts"][expert]["zero_share"].get<double>(), 1e-9);
  }
}

TEST_F(Verdicts, UnderfittingOfARareTaskThatTurnsAwayFromItsOwnExpert) {
  Fitted turned = copy(healthy_);
  EncodedData rows = rows_;
  for (int64_t row = 0; row < rows.rows; ++row) {
    if (row % 25 != 0) rows.labels[row * 2 + 1] = NAN;
  }
  EXPECT_THAT(verdicts_of(turned, rows), testing::Not(testing::Contains("underfitting: gates/buy")));
  change(turned, "gates/buy/layer_0/bias", [](float value, size_t i) { return i == 0 ? value - 12 : value; });
  EXPECT_THAT(verdicts_of(turned, rows), testing::Contains("underfitting: gates/buy"));
  // With as many labels as the other task it is only unused.
  EXPECT_THAT(verdicts_of(turned, rows_),
              testing::AllOf(testing::Contains("unused_expert: task_experts/buy/0"),
                             testing::Not(testing::Contains("underfitting: gates/buy"))));
}

TEST_F(Verdicts, PolarisedGateAndUnusedExpert) {
  Fitted polarised = copy(healthy_);
  change(polarised, "gates/click/layer_0/bias",
         [](float value, size_t i) { return i == 1 ? value + 15 : value; });
  EXPECT_THAT(verdicts_of(polarised, rows_), testing::Contains("polarisation: gates/click"));
  Fitted unused = copy(healthy_);
  for (const char* gate : {"gates/click/layer_0/bias", "gates/buy/layer_0/bias"})
    change(unused, gate, [](float value, size_t i) { return i == 2 ? value - 15 : value; });
  EXPECT_THAT(verdicts_of(unused, rows_), testing::Contains("unused_expert: shared_experts/1"));
}

TEST_F(Verdicts, ConflictOfTasksThatWantDifferentThingsOfOneUnit) {
  const FeatureSpace space =
      sample_space({make_task("left", "regression"), make_task("right", "regression")});
  const auto rows_of = [&](uint64_t seed) {
    EncodedData rows = sample_rows(space, 1500, 0, seed);
    for (int64_t row = 0; row < rows.rows; ++row) {
      rows.labels[row * 2] = rows.numeric[row * 4];
      rows.labels[row * 2 + 1] = rows.numeric[row * 4 + 1];
    }
    return rows;
  };
  const EncodedData rows = rows_of(1), unseen = rows_of(2);
  const Json narrow = {{"type", "shared_bottom"},
                       {"expert", {{"units", {1}}, {"activation", "tanh"}}},
                       {"tower", {{"units", Json::array()}}}};
  FitSetting setting = quick(12);
  setting.model = narrow;
  setting.with_validation = false;
  Fitted model = fit(space, rows, setting);
  const Json diagnosis = diagnosis_of(model, space, unseen);
  ASSERT_EQ(diagnosis["verdicts"].size(), 1U) << diagnosis["verdicts"].dump(1);
  EXPECT_EQ(diagnosis["verdicts"][0]["kind"], "task_conflict");
  EXPECT_EQ(diagnosis["verdicts"][0]["where"], "left and right");
  // A single batch says the same of few rows, and has no error to go by.
  const EncodedData few = select_rows(unseen, spread_rows(unseen.rows, 60));
  const Json of_few = diagnosis_of(model, space, few);
  EXPECT_EQ(of_few["gradients"]["batches"], 1);
  EXPECT_LT(of_few["gradients"]["pairs"][0]["cosine"].get<double>(), -0.2);
  EXPECT_THAT(of_few["verdicts"].dump(), testing::Not(testing::HasSubstr("task_conflict")));
  setting.model["expert"]["units"] = {16};
  Fitted wide = fit(space, rows, setting);
  EXPECT_THAT(diagnosis_of(wide, space, unseen)["verdicts"], testing::IsEmpty());
}

TEST_F(Verdicts, SilentFailureByChanceConstantAndScale) {
  EncodedData shuffled = rows_;
  for (int64_t row = 0; row < rows_.rows; ++row)
    shuffled.labels[row * 2] = rows_.labels[((row + 700) % rows_.rows) * 2];
  EXPECT_THAT(verdicts_of(healthy_, shuffled), testing::Contains("silent_failure: click"));
  Fitted constant = copy(healthy_);
  change(constant, "towers/buy/layer_1/weight", [](float, size_t) { return 0.0F; });
  EXPECT_THAT(verdicts_of(constant, rows_), testing::Contains("silent_failure: buy"));
  Fitted shifted = copy(healthy_);
  change(shifted, "towers/buy/layer_1/bias", [](float value, size_t) { return value - 8; });
  EXPECT_THAT(verdicts_of(shifted, rows_), testing::Contains("silent_failure: buy"));
}

// Accuracy is the largest class's share whether a model knows nothing or that class is simply likeliest.
TEST_F(Verdicts, SilentFailureOfClassesIsTold) {
  const FeatureSpace space =
      sample_space({make_task("click", "binary"), make_task("grade", "multiclass", 3)});
  const auto rows_of = [&](uint64_t seed, bool is_random) {
    EncodedData rows = sample_rows(space, 2000, 0, seed);
    const RandomStream stream(seed, "grades");
    for (int64_t row = 0; row < rows.rows; ++row) {
      const double drawn = stream.uniform(0, static_cast<uint64_t>(row), 0);
      // With signal the rarer classes are likelier at one end, and never likelier than the first.
      const double tilt = is_random ? 0 : 0.3 * std::tanh(rows.numeric[row * 4]);
      rows.labels[row * 2 + 1] = drawn < 0.6 - tilt / 3 ? 0.0F : drawn < 0.8 + tilt / 3 ? 1.0F : 2.0F;
    }
    return rows;
  };
  FitSetting setting = quick(6);
  setting.model = {{"type", "shared_bottom"}, {"expert", {{"units", {8}}}}};
  setting.with_validation = false;
  const auto failures_of = [&](Fitted& model, const EncodedData& rows) {
    std::vector<std::string> causes;
    const Json diagnosis = diagnosis_of(model, space, rows);
    EXPECT_TRUE(diagnosis["tasks"]["grade"]["label_mean"].is_null());
    EXPECT_TRUE(diagnosis["tasks"]["grade"]["prediction_mean"].is_null());
    EXPECT_TRUE(diagnosis["tasks"]["click"]["label_mean"].is_number());
    for (const Json& verdict : diagnosis["verdicts"]) {
      if (verdict["where"] == "grade") causes.push_back(verdict["evidence"]["cause"]);
    }
    return causes;
  };
  Fitted blind = fit(space, rows_of(1, true), setting);
  EXPECT_THAT(failures_of(blind, rows_of(2, true)), testing::ElementsAre("chance"));
  Fitted knowing = fit(space, rows_of(1, false), setting);
  EXPECT_THAT(failures_of(knowing, rows_of(2, false)), testing::IsEmpty());
  Fitted shifted = copy(knowing);
  change(shifted, "towers/grade/layer_1/bias",
         [](float value, size_t i) { return i == 0 ? value - 6 : value; });
  EXPECT_THAT(failures_of(shifted, rows_of(2, false)), testing::ElementsAre("scale"));
  Fitted constant = copy(knowing);
  change(constant, "towers/grade/layer_1/weight", [](float, size_t) { return 0.0F; });
  EXPECT_THAT(failures_of(constant, rows_of(2, false)), testing::ElementsAre("constant"));
}

// Importance is a mean over shuffles and says how far that is from settled.
TEST_F(Verdicts, ImportanceOfColumnsHasAStandardError) {
  const Json diagnosis = diagnosis_of(healthy_, space_, rows_);
  for (const Json& column : diagnosis["columns"]) {
    const Json& change = column["permuted"]["click"];
    EXPECT_GT(change["standard_error"]["loss"].get<double>(), 0);
    EXPECT_LT(change["standard_error"]["auc"].get<double>(), 0.02);
  }
  Pool pool(1);
  Scorer scorer(*healthy_.graph, *healthy_.store, space_, pool);
  EncodedData rows = rows_;
  const auto one = permute_columns(scorer, space_, rows, 1, 1),
             other = permute_columns(scorer, space_, rows, 1, 2),
             both = permute_columns(scorer, space_, rows, 2, 1);
  EXPECT_TRUE(std::isnan(one[0].errors.loss[0]));
  EXPECT_NEAR(both[0].permuted.loss[0], (one[0].permuted.loss[0] + other[0].permuted.loss[0]) / 2, 1e-9);
  EXPECT_NEAR(both[0].errors.loss[0], std::abs(one[0].permuted.loss[0] - other[0].permuted.loss[0]) / 2,
              1e-9);
}

TEST_F(Verdicts, TooFewRowsOrNoLabelsAreRefused) {
  EncodedData few = sample_rows(space_, 10);
  EXPECT_THAT(message_of([&] { diagnosis_of(healthy_, space_, few); }),
              testing::HasSubstr("got 10 rows, expected at least 20"));
  few = rows_;
  few.labels.clear();
  EXPECT_THAT(message_of([&] { diagnosis_of(healthy_, space_, few); }), testing::HasSubstr("have no labels"));
}

// Without experts the rest is still examined.
TEST_F(Verdicts, OfAModelWithoutExpertsAreAboutItsTasks) {
  Fitted linear = train_model({{"type", "linear"}}, sample_rows(space_, 1500));
  const Json diagnosis = diagnosis_of(linear, space_, rows_);
  EXPECT_TRUE(diagnosis["levels"].empty());
  EXPECT_TRUE(diagnosis["verdicts"].empty()) << diagnosis["verdicts"].dump(1);
  EXPECT_GT(diagnosis["tasks"]["click"]["value"].get<double>(), 0.9);
  EXPECT_FALSE(diagnosis["columns"].empty());
}

}  // namespace
}  // namespace gatewise

#include "experiment/comparison.h"

#include <gmock/gmock.h>

#include "experiment/statistics.h"
#include "table/table_files.h"
#include "tests/base/message_of.h"
#include "tests/experiment/people_rows.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

class ComparisonTest : public testing::Test {
 protected:
  ComparisonTest() {
    folder_.write("train.csv", sample_csv(400, 1));
    folder_.write("test.csv", sample_csv(300, 2));
  }

  Contestant contestant(const std::string& name, const Json& changes = Json::object()) const {
    Json json = sample_configuration(folder_);
    json.merge_patch(changes);
    return {name, name + ".toml", Configuration::from_json(json)};
  }

  Comparison of(const std::vector<std::string>& names, std::vector<int64_t> seeds) const {
    Comparison comparison;
    for (const std::string& name : names) comparison.contestants.push_back(contestant(name));
    comparison.baseline = names[0];
    comparison.seeds = std::move(seeds);
    return comparison;
  }

  // The table of one metric of the task "left" from values by seed and contestant.
  static Json table(Comparison& comparison, const std::string& metric,
                    const std::vector<std::vector<double>>& values) {
    comparison.metrics = {metric};
    comparison.prepare();
    std::vector<Json> results;
    for (const std::vector<double>& of_seed : values) {
      for (const double value : of_seed) {
        Json result = {{"error", "diverged"}};
        if (!std::isnan(value))
          result = {{"metrics", {{"test", {{"tasks", {{"left", {{metric, {{"value", value}}}}}}}}}}}};
        results.push_back(result);
      }
    }
    SharedRows rows(1, true);
    return compare_results(comparison, results, rows);
  }

  RowsFolder folder_;
};

TEST_F(ComparisonTest, GivesMeansPairedDifferencesAndCorrectedChances) {
  Comparison comparison = of({"a", "b", "c"}, {1, 2, 3, 4});
  const Json json =
      table(comparison, "auc", {{.70, .75, .71}, {.72, .78, .70}, {.71, .765, .72}, {.73, .79, .73}});
  EXPECT_EQ(json["part"], "test");
  const Json& all = json["tasks"]["left"]["auc"]["configurations"];
  const Summary a = summarise({.70, .72, .71, .73});
  EXPECT_NEAR(all["a"]["mean"].get<double>(), .715, 1e-12);
  EXPECT_NEAR(all["a"]["deviation"].get<double>(), *a.deviation, 1e-12);
  EXPECT_NEAR(all["a"]["interval"][1].get<double>(), *a.high, 1e-12);
  EXPECT_EQ(all["a"]["best"], (Json{{"value", .73}, {"seed", 4}}));
  EXPECT_FALSE(all["a"].contains("difference"));
  const Json &b = all["b"]["difference"], &c = all["c"]["difference"];
  EXPECT_NEAR(b["mean"].get<double>(), .05625, 1e-12);
  const double p_b = *paired_p({.05, .06, .055, .06}), p_c = *paired_p({.01, -.02, .01, .0});
  EXPECT_NEAR(b["p"].get<double>(), p_b, 1e-9);
  EXPECT_NEAR(b["corrected_p"].get<double>(), 2 * p_b, 1e-9);
  EXPECT_NEAR(c["corrected_p"].get<double>(), p_c, 1e-9);
  EXPECT_EQ(b["verdict"], "better");
  EXPECT_EQ(c["verdict"], "noise");
  EXPECT_EQ(json["comparisons"], 2);
}

TEST_F(ComparisonTest, KnowsWhichDirectionIsBetter) {
  Comparison losses = of({"a", "b"}, {1, 2, 3});
  const Json loss = table(losses, "log_loss", {{.5, .4}, {.51, .42}, {.52, .41}});
  EXPECT_EQ(loss["tasks"]["left"]["log_loss"]["configurations"]["b"]["difference"]["verdict"], "better");
  EXPECT_EQ(loss["tasks"]["left"]["log_loss"]["configurations"]["a"]["best"]["value"], .5);
  // 0.5 is as far from 1 as 2, and farther than 1.5.
  Comparison ratios = of({"a", "b"}, {1, 2, 3});
  const Json ratio = table(ratios, "calibration_ratio", {{.5, 1.5}, {.51, 1.49}, {2.0, 1.5}});
  const Json& b = ratio["tasks"]["left"]["calibration_ratio"]["configurations"]["b"];
  EXPECT_EQ(b["difference"]["verdict"], "better");
  EXPECT_EQ(b["best"]["value"], 1.49);
}

TEST_F(ComparisonTest, PairsOnlySeedsThatBothHave) {
  Comparison comparison = of({"a", "b"}, {5, 6, 7});
  const Json json = table(comparison, "auc", {{.7, .8}, {.7, NAN}, {.7, .9}});
  const Json& b = json["tasks"]["left"]["auc"]["configurations"]["b"];
  EXPECT_NEAR(b["mean"].get<double>(), .85, 1e-12);
  EXPECT_EQ(b["values"], (Json{.8, nullptr, .9}));
  EXPECT_EQ(b["difference"]["pairs"], 2);
  EXPECT_EQ(json["configurations"][1]["failed"], 1);
  EXPECT_EQ(json["runs"][4]["error"], "diverged");
  EXPECT_EQ(json["runs"][4]["seed"], 6);
}

TEST_F(ComparisonTest, OneSeedHasNoIntervalAndNoVerdict) {
  Comparison comparison = of({"a", "b"}, {1});
  const Json json = table(comparison, "auc", {{.7, .8}});
  const Json& b = json["tasks"]["left"]["auc"]["configurations"]["b"];
  EXPECT_TRUE(b["interval"].is_null());
  EXPECT_TRUE(b["difference"]["p"].is_null());
  EXPECT_EQ(b["difference"]["verdict"], "unknown");
  EXPECT_EQ(json["comparisons"], 0);
}

TEST_F(ComparisonTest, IsAnErrorWhereNothingCanBeCompared) {
  Comparison failed = of({"a", "b"}, {1, 2});
  EXPECT_THAT(message_of(Fault::Data,
                         [&] {
                           table(failed, "auc", {{NAN, NAN}, {NAN, NAN}});
                         }),
              HasSubstr("none of 4 runs succeeded; the first: diverged"));
  Comparison undefined = of({"a"}, {1});
  undefined.metrics = {"auc"};
  undefined.prepare();
  const Json none{{"value", nullptr}, {"why_undefined", "only one class"}};
  const Json without_value{{"metrics", {{"test", {{"tasks", {{"left", {{"auc", none}}}}}}}}}};
  SharedRows rows(1, true);
  EXPECT_THAT(message_of(Fault::Data, [&] { compare_results(undefined, {without_value}, rows); }),
              HasSubstr("auc of no task has a value on the test rows (auc of left: only one class)"));
  Comparison foreign = of({"a"}, {1});
  foreign.metrics = {"r2"};
  EXPECT_THAT(message_of(Fault::Command, [&] { foreign.prepare(); }), HasSubstr("\"r2\" fits no task"));
}

TEST_F(ComparisonTest, RefusesWhatCannotBeCompared) {
  const auto refusal = [&](const Contestant& other, const std::string& baseline = "a") {
    Comparison comparison = of({"a"}, {1, 2});
    comparison.contestants.push_back(other);
    comparison.baseline = baseline;
    return message_of(Fault::Command, [&] { comparison.prepare(); });
  };
  EXPECT_THAT(refusal(contestant("a")), HasSubstr("name of two"));
  EXPECT_THAT(refusal(contestant("b"), "c"), HasSubstr("no configuration is called \"c\""));
  EXPECT_THAT(refusal(contestant("b", {{"data", {{"test", {folder_.file("train.csv")}}}}})),
              HasSubstr("is judged on other rows"));
  EXPECT_THAT(refusal(contestant("b", {{"split", {{"fractions", {{"validation", .4}, {"test", .6}}}}}})),
              HasSubstr("is judged on other rows"));
  EXPECT_THAT(refusal(contestant("b", {{"tasks", {{"left", {{"column", "right"}}}}}})),
              HasSubstr("has other labels"));
  for (const Json& changes :
       {Json{{"data", {{"null", {"", "0"}}}}}, Json{{"data", {{"skip_rows", 1}}}},
        Json{{"data", {{"header", false}, {"column_names", {"a", "b", "level", "left", "right"}}}}},
        Json{{"columns", {{"b", "weight"}}}}, Json{{"columns", {{"level", "group"}}}}})
    EXPECT_THAT(refusal(contestant("b", changes)), HasSubstr("is judged on other rows")) << changes.dump();
  Comparison comparison = of({"a", "b"}, {1});
  comparison.metrics = {"acu"};
  EXPECT_THAT(message_of(Fault::Command, [&] { comparison.prepare(); }), HasSubstr("Did you mean \"auc\""));
  // The seeds of the comparison take the place of these.
  Comparison seeds = of({"a"}, {1});
  seeds.contestants.push_back(contestant("b", {{"split", {{"seed", 7}}}, {"training", {{"seed", 8}}}}));
  EXPECT_NO_THROW(seeds.prepare());
}

TEST_F(ComparisonTest, RefusesLabelsThatMissOtherRows) {
  const auto with_null = [&](const std::string& name, const Json& null) {
    return contestant(
        name, {{"tasks", {{"left", nullptr}}}, {"columns", {{"left", {{"role", "label"}, {"null", null}}}}}});
  };
  Comparison comparison = of({"a"}, {1});
  comparison.contestants = {with_null("a", {""}), with_null("b", {"", "0"})};
  EXPECT_THAT(message_of(Fault::Command, [&] { comparison.prepare(); }),
              HasSubstr("task \"left\" of \"b\" has other labels"));
}

TEST_F(ComparisonTest, RefusesOtherTemplatesOfTasks) {
  const auto with_template = [&](const std::string& name, const std::string& column) {
    Json json = sample_configuration(folder_);
    json["columns"] = {{"level", "task"}};
    json["tasks"] = {{"*", {{"kind", "binary"}, {"column", column}}}};
    return Contestant{name, name, Configuration::from_json(json)};
  };
  Comparison comparison = of({"a"}, {1});
  comparison.contestants = {with_template("a", "left"), with_template("b", "right")};
  EXPECT_THAT(message_of(Fault::Command, [&] { comparison.prepare(); }),
              HasSubstr("task \"*\" of \"b\" has other labels"));
}

TEST_F(ComparisonTest, ComparesOthersWhereAllOfTheFirstFailed) {
  Comparison comparison = of({"a", "b"}, {1});
  comparison.prepare();
  const Json done{{"metrics", {{"validation", {{"tasks", {{"left", {{"auc", {{"value", .7}}}}}}}}}}}};
  SharedRows rows(1, true);
  const Json json = compare_results(comparison, {{{"error", "diverged"}}, done}, rows);
  EXPECT_EQ(json["part"], "validation");
  EXPECT_EQ(json["tasks"]["left"]["auc"]["configurations"]["b"]["mean"], .7);
}

TEST_F(ComparisonTest, CallsNoDifferenceRealThatSeedsDoNotChange) {
  Comparison comparison = of({"a", "b"}, {1, 2, 3});
  const Json json = table(comparison, "auc", {{.7, .71}, {.7, .71 + 1e-9}, {.7, .71 - 1e-9}});
  const Json& difference = json["tasks"]["left"]["auc"]["configurations"]["b"]["difference"];
  EXPECT_TRUE(difference["p"].is_null());
  EXPECT_EQ(difference["verdict"], "unknown");
  EXPECT_EQ(difference.value("why_unknown", ""), "seeds change it by no more than rounding does");
  EXPECT_EQ(json["comparisons"], 0);
}

TEST_F(ComparisonTest, MeasuresTheUsualMetricsWhereAConfigurationHasItsOwn) {
  Comparison comparison = of({"a"}, {1});
  comparison.contestants.push_back(contestant("b", {{"evaluation", {{"metrics", {"accuracy"}}}}}));
  comparison.prepare();
  EXPECT_THAT(comparison.contestants[1].configuration.evaluation.metrics,
              testing::IsSupersetOf({"accuracy", "auc", "rmse"}));
}

TEST_F(ComparisonTest, MeasuresMoreOnlyWhereItMust) {
  Comparison usual = of({"a"}, {1});
  usual.metrics = {"log_loss"};
  usual.prepare();
  EXPECT_TRUE(usual.contestants[0].configuration.evaluation.metrics.empty());
  Comparison more = of({"a"}, {1});
  more.metrics = {"accuracy", "normalised_entropy"};
  more.prepare();
  const std::vector<std::string>& measured = more.contestants[0].configuration.evaluation.metrics;
  EXPECT_THAT(measured, testing::IsSupersetOf({"auc", "log_loss", "normalised_entropy"}));
}

TEST_F(ComparisonTest, EqualisesParametersToTheBaseline) {
  Comparison comparison = of({"a"}, {1});
  comparison.contestants.push_back(contestant("b", {{"model", {{"type", "shared_bottom"}}}}));
  comparison.contestants.push_back(contestant("c", {{"model", {{"type", "linear"}}}}));
  comparison.prepare();
  SharedRows rows(1, true);
  comparison.equalise(rows, {"expert.units"});
  const FeatureSpace space = rows.get(comparison.trials()[0].configuration)->encoder.space();
  const auto count = [&](size_t i) {
    return static_cast<double>(parameters_of(space, comparison.contestants[i].configuration.model));
  };
  EXPECT_NEAR(count(1) / count(0), 1, 0.1);
  EXPECT_EQ(comparison.contestants[1].changed_widths.size(), 1u);
  EXPECT_TRUE(comparison.contestants[2].changed_widths.empty());
  EXPECT_THAT(comparison.contestants[2].why_unequal, HasSubstr("it has none of the widths expert.units"));
  EXPECT_THAT(message_of(Fault::Command, [&] { comparison.equalise(rows, {"rank_in"}); }),
              HasSubstr("no configuration has the option model.rank_in"));
}

TEST_F(ComparisonTest, SaysWhereWidthsCannotReachTheBaseline) {
  Comparison comparison = of({"a", "b"}, {1});
  comparison.contestants[0] = contestant("a", {{"model", {{"type", "linear"}}}});
  comparison.prepare();
  SharedRows rows(1, true);
  comparison.equalise(rows, {"expert.units"});
  EXPECT_EQ(comparison.contestants[0].why_unequal, "");
  EXPECT_THAT(comparison.contestants[1].why_unequal, HasSubstr("it comes no nearer by the widths"));
}

class ExternalTest : public ComparisonTest {
 protected:
  ExternalTest() : comparison_(of({"a"}, {1, 2})) {}

  // A file of predictions for all rows of test.csv, made by a model; `order` of its rows, and which
  // columns.
  std::string predictions(const std::vector<int64_t>& rows_of_file, bool has_right = true) const {
    const Configuration configuration = comparison_.trials()[0].configuration;
    const TrainingRows rows = load_training_rows(configuration, nullptr);
    const UntrainedModel model = make_model(configuration, rows);
    Schema schema = rows.encoder.schema();
    ReadOptions options;
    options.columns = schema.requests(true);
    const EncodedData all = rows.encoder.encode(read_table({folder_.file("test.csv")}, options));
    Pool pool(1);
    const auto values = predict(*model.graph, *model.store, rows.encoder.space(), all, pool);
    std::string text = has_right ? "right,left\n" : "left\n";
    for (const int64_t row : rows_of_file) {
      text += has_right ? fmt::format("{},{}\n", values[1][row], values[0][row])
                        : fmt::format("{}\n", values[0][row]);
    }
    return text;
  }

  static std::vector<int64_t> every_row() {
    std::vector<int64_t> rows(300);
    std::iota(rows.begin(), rows.end(), 0);
    return rows;
  }

  Json compare(const std::string& text) {
    folder_.write("external.csv", text);
    comparison_.externals = {ExternalPredictions::parse("other=" + folder_.file("external.csv"))};
    comparison_.prepare();
    SharedRows rows(4, true);
    comparison_.read_externals(rows);
    std::vector<Trial> trials = comparison_.trials();
    for (Trial& trial : trials) trial.configuration.training.epochs = 1;
    return compare_results(comparison_, run_trials(rows, {.workers = 1}, trials), rows);
  }

  Comparison comparison_;
};

TEST_F(ExternalTest, IsJudgedOnTheTestRowsOfEverySeed) {
  const Json json = compare(predictions(every_row()));
  const Json& other = json["tasks"]["left"]["auc"]["configurations"]["other"];
  for (size_t i = 0; i < 2; ++i) {
    // The untrained model itself on the rows of that seed.
    const Configuration configuration = comparison_.trials()[i].configuration;
    const TrainingRows rows = load_training_rows(configuration, nullptr);
    const UntrainedModel model = make_model(comparison_.trials()[0].configuration, rows);
    Pool pool(1);
    const Json own = measure_model(model, configuration, rows, pool)["test"]["tasks"];
    EXPECT_NEAR(other["values"][i].get<double>(), own["left"]["auc"]["value"].get<double>(), 1e-12);
  }
  EXPECT_NE(other["values"][0], other["values"][1]);
  EXPECT_EQ(other["interval_from"], "seeds");
  EXPECT_TRUE(json["configurations"][1]["is_external"].get<bool>());
}

TEST_F(ExternalTest, OfTheTestRowsAloneHasAnIntervalByResampling) {
  comparison_.scope = SeedScope::Training;
  comparison_.contestants[0].configuration.evaluation.resamples = 50;
  const TrainingRows rows = load_training_rows(comparison_.contestants[0].configuration, nullptr);
  const Json json = compare(predictions(rows.test_rows, false));
  const Json& other = json["tasks"]["left"]["auc"]["configurations"]["other"];
  EXPECT_EQ(other["interval_from"], "bootstrap");
  EXPECT_LT(other["interval"][0].get<double>(), other["mean"].get<double>());
  EXPECT_GT(other["interval"][1].get<double>(), other["mean"].get<double>());
  EXPECT_EQ(other["values"][0], other["values"][1]);
  EXPECT_FALSE(json["tasks"]["right"]["auc"]["configurations"].contains("other"));
  // The whole file is as good.
  comparison_.contestants[0].configuration.evaluation.resamples = 50;
  const Json whole = compare(predictions(every_row()));
  EXPECT_EQ(whole["tasks"]["left"]["auc"]["configurations"]["other"]["interval"], other["interval"]);
}

TEST_F(ExternalTest, HasOneValueWhereOnlyOtherRowsVary) {
  Contestant other = contestant("a", {{"evaluation", {{"resamples", 50}}}});
  Schema& schema = other.configuration.schema;
  schema.split.of = "train";
  schema.split.fractions = {{"train", 0.75}, {"validation", 0.25}};
  comparison_.contestants = {other};
  const Json json = compare(predictions(every_row()));
  EXPECT_EQ(json["seeds_change"], (Json{"rows", "training"}));
  const Json& external = json["tasks"]["left"]["auc"]["configurations"]["other"];
  EXPECT_EQ(external["interval_from"], "bootstrap");
  EXPECT_LT(external["interval"][0].get<double>(), external["interval"][1].get<double>());
}

TEST_F(ExternalTest, SaysWhichTasksAndColumnsAreNotUsed) {
  const std::string text = predictions(every_row());
  const Json item = compare("rigth" + text.substr(5))["configurations"][1];
  EXPECT_EQ(item["missing_tasks"], Json{"right"});
  EXPECT_EQ(item["unused_columns"], Json{"rigth"});
  EXPECT_EQ(compare(text)["configurations"][1]["missing_tasks"], Json::array());
}

TEST_F(ExternalTest, TakesAnyScoreWhereTheMetricDoes) {
  std::string text = "left\n";
  for (int row = 0; row < 300; ++row) text += fmt::format("{}\n", row - 150);
  EXPECT_TRUE(compare(text)["tasks"]["left"]["auc"]["configurations"]["other"]["mean"].is_number())
      << "by default the first usual metric alone";
  comparison_ = of({"a"}, {1, 2});
  comparison_.metrics = {"auc", "log_loss"};
  EXPECT_THAT(message_of(Fault::Data, [&] { compare(text); }),
              testing::AllOf(HasSubstr("external.csv: log_loss: the prediction of row 0 is no probability"),
                             HasSubstr("by --metric auc")));
  comparison_ = of({"a"}, {1, 2});
  comparison_.metrics = {"auc"};
  EXPECT_TRUE(compare(text)["tasks"]["left"]["auc"]["configurations"]["other"]["mean"].is_number());
}

TEST_F(ExternalTest, RefusesClassesThatAreNoProbabilities) {
  FeatureSpace space;
  TaskSpace& task = space.tasks.emplace_back();
  task.name = "kind";
  task.kind = "multiclass";
  task.class_names = {"p", "q"};
  task.classes = 2;
  const auto read = [&](const std::string& rows) {
    folder_.write("classes.csv", "kind:q,kind:p\n" + rows);
    ExternalPredictions external = ExternalPredictions::parse("x=" + folder_.file("classes.csv"));
    external.read(space);
  };
  EXPECT_NO_THROW(read("0.4,0.6\n0.3334,0.6662\n"));
  EXPECT_THAT(message_of(Fault::Data, [&] { read("0.4,0.6\n0.5,0.6\n"); }),
              testing::AllOf(HasSubstr("classes.csv:3"), HasSubstr("got a sum of 1.1, expected 1")));
  EXPECT_THAT(message_of(Fault::Data, [&] { read("-0.4,1.4\n"); }),
              HasSubstr("column \"kind:p\" is no probability; got 1.4"));
}

TEST_F(ExternalTest, RefusesFilesThatFitNoRows) {
  const std::vector<int64_t> some(100, 1);
  const auto refusal = [&](const std::string& text) { return message_of([&] { compare(text); }); };
  EXPECT_THAT(refusal(predictions(some)), HasSubstr("got 100 rows of predictions, expected all 300 rows"));
  EXPECT_THAT(refusal("up,down\n1,2\n"), HasSubstr("no column is a task's prediction"));
  EXPECT_THAT(refusal("left\n0.5\n\"\"\n"), HasSubstr("column \"left\" has no value"));
  EXPECT_THAT(message_of(Fault::Command, [] { ExternalPredictions::parse("file.csv"); }),
              HasSubstr("expected a name and a file"));
}

}  // namespace
}  // namespace gatewise

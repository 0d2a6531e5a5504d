#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/toml.h"
#include "report/catalogue.h"
#include "report/metrics_text.h"
#include "report/numbers.h"
#include "report/predictions_text.h"
#include "report/progress_text.h"
#include "report/proposal_text.h"
#include "report/text_table.h"

namespace gatewise {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Numbers, AreShownWithTheDigitsThatPeopleRead) {
  EXPECT_EQ(value_text(0.94712345), "0.9471");
  EXPECT_EQ(value_text(-0.5), "-0.5000");
  EXPECT_EQ(value_text(0), "0.0000");
  EXPECT_EQ(value_text(0.000123456), "0.000123");
  EXPECT_EQ(value_text(123.456789), "123.46");
  EXPECT_EQ(value_text(123456.7), "123457");
  EXPECT_EQ(value_text(10.4), "10.400");
  EXPECT_EQ(count_text(7), "7");
  EXPECT_EQ(count_text(199523), "199,523");
  EXPECT_EQ(count_text(1000000), "1,000,000");
  EXPECT_EQ(count_text(-123456), "-123,456");
  EXPECT_EQ(rate_text(950.4), "950");
  EXPECT_EQ(rate_text(12345), "12,300");
  EXPECT_EQ(rate_text(1240000), "1.24 million");
  EXPECT_EQ(duration_text(45.2), "45 s");
  EXPECT_EQ(duration_text(185), "3 min 5 s");
  EXPECT_EQ(duration_text(7800), "2 h 10 min");
  EXPECT_EQ(duration_text(-1), "");
  EXPECT_EQ(percent_text(0.0620583), "6.206 %");
  EXPECT_EQ(bytes_text(4096), "4.0 KiB");
  EXPECT_EQ(bytes_text(100), "100 bytes");
}

TEST(Tables, AreAlignedByCharactersNotBytes) {
  TextTable table;
  table.add_column("name");
  table.add_column("value", Align::Right);
  table.add_row({"Zürich", "1"});
  table.add_row({"a", "1000"});
  EXPECT_EQ(table.text(), "name    value\nZürich      1\na        1000\n");
  EXPECT_EQ(table.text(Style{true}).substr(0, 4), "\x1b[1m");
}

TEST(Tables, WrapTextAtBlanks) {
  EXPECT_THAT(wrap_text("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(wrap_text("unbreakable", 3), ElementsAre("unbreakable"));
}

TEST(Metrics, ShowValueIntervalDirectionAndWhyUndefined) {
  const Json evaluation = Json::parse(R"({"rows": 10, "tasks": {
    "income": {"auc": {"value": 0.94712, "low": 0.94, "high": 0.951, "direction": "higher is better"}},
    "spam": {"auc": {"value": null, "why_undefined": "one class", "direction": "higher is better"}}}})");
  EXPECT_EQ(metrics_text(evaluation),
            "task    metric                  value  95 % interval\n"
            "income  auc                    0.9471  0.9400 to 0.9510  higher is better\n"
            "spam    auc     undefined (one class)                    higher is better\n");
}

TEST(Metrics, ShowCountsBesideTheValue) {
  const Json evaluation = Json::parse(R"({"rows": 10, "tasks": {"a": {"grouped_auc": {"value": 0.5,
    "direction": "higher is better", "details": {"groups_left_out": 1200}}}}})");
  EXPECT_THAT(metrics_text(evaluation), HasSubstr("groups left out 1,200"));
}

TEST(ProgressLine, HasRateAndTimeLeftAndFitsTheTerminal) {
  Progress progress;
  progress.epoch = 3;
  progress.epochs = 10;
  progress.step = 50;
  progress.steps = 200;
  progress.rows_per_second = 1240000;
  progress.seconds_left = 75;
  progress.loss = 0.25;
  EXPECT_EQ(progress_text(progress),
            "epoch 3/10  step 50/200  25 %  loss 0.2500  1.24 million rows/s  1 min 15 s left");
  EXPECT_EQ(progress_text(progress, 20).size(), 20u);
}

TEST(EpochLine, HasLossesAndValidationByTaskAndPenaltiesByName) {
  const Json record = Json::parse(R"({"epoch": 2, "loss": 0.4, "losses": {"a": 0.25, "b": 0.15},
    "validation": {"a": {"auc": {"value": 0.9}}, "b": {"rmse": {"value": null}}}, "penalties": {"balance": 0.0125},
    "rows_per_second": 1000})");
  EXPECT_EQ(
      epoch_text(record),
      "epoch 2  a: loss 0.2500, auc 0.9000  b: loss 0.1500, rmse undefined  balance 0.0125  1,000 rows/s");
}

TEST(EpochText, SummarisesManyTasks) {
  Json record = {{"epoch", 1}, {"loss", 0.5}, {"rows_per_second", 1000}};
  for (int task = 0; task < 9; ++task) {
    const std::string name = fmt::format("t{}", task);
    record["losses"][name] = 0.1;
    record["validation"][name]["auc"]["value"] = task == 3 ? Json(0.75) : task == 5 ? Json() : Json(0.5);
  }
  EXPECT_EQ(epoch_text(record),
            "epoch 1  9 tasks: loss 0.5000, auc 0.5312 (t0 0.5000 to t3 0.7500)  1,000 rows/s");
}

Json sample_proposal() {
  return Json::parse(R"({"configuration": {"data": {"train": ["a b.csv"]},
      "columns": {"default": "ignore", "PM2.5": "numeric", "age": {"role": "numeric", "transform": "log1p"}},
      "tasks": {"clicked": {"kind": "binary", "equals": "ye\"s"}}},
    "columns": {"age": {"role": "numeric", "reason": "numbers with a long tail", "warnings": ["42 % missing"]}},
    "tasks": {"clicked": {"kind": "binary", "reason": "two texts"}},
    "labels": {"tasks": [{"name": "clicked", "kind": "binary", "present": 2000, "rate": 0.25}],
               "correlations": [{"tasks": ["clicked", "bought"], "rows": 1990, "pearson": -0.17871}]}})");
}

TEST(Proposals, AreTomlThatReadsBackToTheConfiguration) {
  const Json proposal = sample_proposal();
  EXPECT_EQ(parse_toml(proposal_toml(proposal), "proposal"), proposal["configuration"]);
}

TEST(Proposals, SayWhyAndWhatToLookAtInComments) {
  const std::string text = proposal_toml(sample_proposal());
  EXPECT_THAT(text, HasSubstr("# Warning: 42 % missing\n"));
  EXPECT_THAT(text, HasSubstr("# numbers with a long tail\n"));
  EXPECT_THAT(text, HasSubstr("# clicked (binary): 2,000 rows with a label, rate 25 %\n"));
  EXPECT_THAT(text, HasSubstr("# Pearson correlation of clicked and bought: -0.1787 over 1,990 rows\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("no Pearson")));
  Json graded = sample_proposal();
  graded["labels"]["tasks"].push_back({{"name", "grade"}, {"kind", "multiclass"}, {"present", 1990}});
  graded["table_warnings"] = {"the line of names looks like a row"};
  EXPECT_THAT(proposal_toml(graded),
              HasSubstr("# grade has no Pearson correlations: its classes have no order\n"));
  EXPECT_THAT(proposal_toml(graded), HasSubstr("# Warning: the line of names looks like a row\n"));
}

TEST(Catalogue, HasEveryKindAndFindsNamesOfSeveral) {
  const Json catalogue = describe_plugins();
  for (const auto& [kind, entries] : catalogue.items()) EXPECT_FALSE(entries.empty()) << kind;
  const Json found = find_in_catalogue(catalogue, "mlp");
  EXPECT_TRUE(found.contains("expert") && found.contains("tower"));
  EXPECT_TRUE(find_in_catalogue(catalogue, "nothing").empty());
  EXPECT_THAT(catalogue_text(catalogue), HasSubstr("mmoe"));
  const std::string text = entry_text("architecture", "mmoe", catalogue["architecture"]["mmoe"]);
  for (const Json& option : catalogue["architecture"]["mmoe"]["options"])
    EXPECT_THAT(text, HasSubstr(option["name"].get<std::string>()));
  // A table is shown as it is written in a configuration, in lines of some 30 characters.
  const std::string home = entry_text("architecture", "home", catalogue["architecture"]["home"]);
  EXPECT_THAT(home, HasSubstr("{type=\"mlp\", "));
  EXPECT_THAT(home, testing::ContainsRegex("\n +hidden_activation=\"relu\"[}]\n"));
}

FeatureSpace space_with_classes() {
  FeatureSpace space;
  space.tasks.resize(2);
  space.tasks[0].name = "a,b";
  space.tasks[0].kind = "binary";
  space.tasks[1].name = "kind";
  space.tasks[1].kind = "multiclass";
  space.tasks[1].classes = 2;
  space.tasks[1].class_names = {"x", "say \"y\""};
  return space;
}

TEST(Predictions, ReadBackToTheSameFloats) {
  const FeatureSpace space = space_with_classes();
  const std::vector<ValueList> predictions{std::vector{0.1F, 1e-30F},
                                           std::vector{0.25F, 0.75F, 1.0F / 3, 2.0F / 3}};
  const std::vector<InnerValue> inner{{"gates/a,b", 2, {0.5F, 0.25F, 1e-30F, 0.125F}}};
  std::string text;
  write_predictions(space, predictions, inner, 2, [&](const std::string& piece) { text += piece; });
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "\"a,b\",kind:x,\"kind:say \"\"y\"\"\",\"gates/a,b[0]\",\"gates/a,b[1]\"");
  EXPECT_THAT(text, HasSubstr("\n0.1,0.25,0.75,0.5,0.25\n1e-30,0.33333334,0.6666667,1e-30,0.125\n"));
}

TEST(Predictions, HaveAllTheDigitsThatReadBackAndNoMore) {
  FeatureSpace space;
  space.tasks.resize(2);
  space.tasks[0].name = "moment";
  space.tasks[1].name = "buy";
  space.tasks[0].kind = space.tasks[1].kind = "regression";
  const std::vector<ValueList> predictions{std::vector{1700000030.4829102, 2.5, 1e300},
                                           std::vector{0.1F, 16777216.0F, -1e-30F}};
  std::string text;
  write_predictions(space, predictions, {}, 3, [&](const std::string& piece) { text += piece; });
  EXPECT_EQ(text, "moment,buy\n1700000030.4829102,0.1\n2.5,16777216\n1e+300,-1e-30\n");
}

TEST(Predictions, WithoutAFiniteNumberWriteNothing) {
  const FeatureSpace space = space_with_classes();
  const std::vector<ValueList> predictions{std::vector{1.0F, 2.0F},
                                           std::vector{0.25F, 0.75F, 0.5F, std::nanf("")}};
  bool has_written = false;
  try {
    write_predictions(space, predictions, {}, 2, [&](const std::string&) { has_written = true; });
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::Data);
    EXPECT_THAT(error.what(), HasSubstr("row 2: \"kind:say \"y\"\""));
  }
  EXPECT_FALSE(has_written);
}

}  // namespace
}  // namespace gatewise

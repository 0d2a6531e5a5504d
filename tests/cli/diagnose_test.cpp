// gatewise diagnose, and predict --gates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "tests/cli/people_fixture.h"

namespace gatewise {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class DiagnoseTest : public PeopleTest {
 protected:
  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }
};

TEST_F(DiagnoseTest, AnswersWhetherSharingHelpsFirst) {
  const Result result = gatewise({"diagnose", "people.model", "test.csv"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(first_line(result.output), AllOf(HasSubstr("clicked (AUC "), HasSubstr("bought (AUC "),
                                               HasSubstr("spent (R² "), HasSubstr("95 % interval")));
  EXPECT_THAT(result.errors, HasSubstr("training a model of task spent alone (3/3), seed 3 of 3"));
  for (const char* part : {"tasks\n", "level experts", "gates/clicked", "shared parameters",
                           "permutation importance of columns"})
    EXPECT_THAT(result.output, HasSubstr(part));
}

TEST_F(DiagnoseTest, TakesSingleTaskModelsThatAreThere) {
  ASSERT_EQ(
      gatewise({"fit", "people.toml", "--model.type", "single_task", "--output", "single.model", "--quiet"})
          .code,
      0);
  const Result result =
      gatewise({"diagnose", "people.model", "test.csv", "--single", "single.model", "--json"});
  ASSERT_EQ(result.code, 0) << result.errors;
  const Json found = Json::parse(result.output);
  const Json single =
      Json::parse(gatewise({"evaluate", "single.model", "test.csv", "--json"}).output)["tasks"];
  const Json shared =
      Json::parse(gatewise({"evaluate", "people.model", "test.csv", "--json"}).output)["tasks"];
  EXPECT_NEAR(found["sharing"]["tasks"]["clicked"]["single"].get<double>(),
              single["clicked"]["auc"]["value"].get<double>(), 1e-9);
  EXPECT_NEAR(found["sharing"]["tasks"]["spent"]["shared"].get<double>(),
              shared["spent"]["r2"]["value"].get<double>(), 1e-9);
}

TEST_F(DiagnoseTest, GivesJsonWithEveryPart) {
  const Result result =
      gatewise({"diagnose", "people.model", "test.csv", "--no-single", "--json", "--by", "city"});
  ASSERT_EQ(result.code, 0) << result.errors;
  const Json found = Json::parse(result.output);
  EXPECT_EQ(found["diagnosis"], 1);
  EXPECT_EQ(found["rows"], 500);
  EXPECT_THAT(found["sharing"]["text"].get<std::string>(), HasSubstr("--no-single was given"));
  const Json& level = found["levels"][0];
  for (const char* key : {"zero_share", "scale", "effective_rank", "histogram", "gradient_shares", "removed"})
    EXPECT_TRUE(level["experts"][0].contains(key)) << key;
  const Json& gate = level["gates"][0];
  for (const char* key : {"weights", "entropy", "leads", "uniform", "slices", "training"})
    EXPECT_TRUE(gate.contains(key)) << key;
  int64_t sliced = 0;
  for (const Json& slice : gate["slices"]) sliced += slice["rows"].get<int64_t>();
  EXPECT_EQ(sliced, 500);
  EXPECT_EQ(level["similarity"].size(), level["experts"].size());
  EXPECT_EQ(found["columns"].size(), 3U);
  EXPECT_EQ(found["gradients"]["pairs"].size(), 3U);
}

TEST_F(DiagnoseTest, WithoutFilesLooksAtTheModelsOwnTestRows) {
  const Result result = gatewise({"diagnose", "people.model", "--no-single", "--json"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_EQ(Json::parse(result.output)["rows"], Json::parse(fitted_->output)["metrics"]["test"]["rows"]);
}

TEST_F(DiagnoseTest, SuggestsAConfigurationThatCanBeFitted) {
  ASSERT_EQ(
      gatewise({"fit", "people.toml", "--tasks.clicked.weight", "200", "--output", "heavy.model", "--quiet"})
          .code,
      0);
  const Result result =
      gatewise({"diagnose", "heavy.model", "test.csv", "--no-single", "--json", "--suggest", "better.toml"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(Json::parse(result.output)["verdicts"].dump(), HasSubstr("degradation"));
  const Result fitted = gatewise({"fit", "better.toml", "--json"});
  ASSERT_EQ(fitted.code, 0) << fitted.errors;
  EXPECT_EQ(Json::parse(fitted.output)["model"], "heavy.model.suggested");
}

TEST_F(DiagnoseTest, SuggestsNothingToAHealthyModel) {
  const Result result = gatewise({"diagnose", "people.model", "test.csv", "--no-single", "--suggest",
                                  "none.toml", "--diagnosis.gradient_share", "1", "--diagnosis.no_cost", "0",
                                  "--diagnosis.unused", "0", "--diagnosis.conflict", "-1"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("No fault found"));
  EXPECT_THAT(result.errors, HasSubstr("none.toml is not written"));
  EXPECT_FALSE(std::filesystem::exists(file("none.toml")));
}

TEST_F(DiagnoseTest, SaysWhatIsWrongWithItsArguments) {
  const std::vector<std::string> base{"diagnose", "people.model", "test.csv"};
  const auto errors_of = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = base;
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Result result = gatewise(arguments);
    EXPECT_NE(result.code, 0);
    EXPECT_EQ(result.output, "");
    return result.errors;
  };
  EXPECT_THAT(errors_of({"--no-single", "--single", "people.model"}), HasSubstr("expected one of them"));
  EXPECT_THAT(errors_of({"--no-single", "--by", "town"}), HasSubstr("town"));
  EXPECT_THAT(errors_of({"--no-single", "--diagnosis.zero_shore", "0.5"}),
              HasSubstr("Did you mean \"zero_share\""));
  EXPECT_THAT(errors_of({"--no-single", "--diagnosis.zero_share", "5"}), HasSubstr("0 to 1"));
  EXPECT_THAT(errors_of({"--model.experts", "3"}), HasSubstr("model.experts"));
  EXPECT_THAT(errors_of({"--single", "nowhere.model"}), HasSubstr("nowhere.model"));
  EXPECT_THAT(errors_of({"--single", "people.model"}),
              HasSubstr("got people.model, a model of 3 tasks that share parameters"));
  EXPECT_THAT(
      errors_of({"--suggest", "nowhere/better.toml"}),
      AllOf(HasSubstr("the folder"), HasSubstr("does not exist"), Not(HasSubstr("training a model"))));
  std::filesystem::rename(file("train.csv"), file("moved.csv"));
  EXPECT_THAT(errors_of({}), HasSubstr("give --single MODEL, or --no-single"));
  std::filesystem::rename(file("moved.csv"), file("train.csv"));
}

// Models for single tasks are trained on the rows of the model, or not at all.
TEST_F(DiagnoseTest, RefusesFilesThatHaveChangedSinceTheFit) {
  const std::string kept = read_text(file("train.csv"));
  write_text(file("train.csv"), kept.substr(0, kept.rfind('\n', kept.size() - 2) + 1));
  const Result changed = gatewise({"diagnose", "people.model", "test.csv"});
  EXPECT_THAT(changed.errors,
              AllOf(HasSubstr("train.csv: is not the train file that people.model was fitted with"),
                    HasSubstr(fmt::format("expected {} with", kept.size())),
                    HasSubstr("give --single MODEL, or --no-single")));
  EXPECT_NE(changed.code, 0);
  EXPECT_THAT(gatewise({"diagnose", "people.model", "--no-single"}).errors,
              HasSubstr("name the files to look at behind the model"));
  EXPECT_EQ(gatewise({"diagnose", "people.model", "test.csv", "--no-single"}).code, 0);
  write_text(file("train.csv"), kept);
}

TEST_F(DiagnoseTest, ClaimsNothingOfModelsThatShareNothing) {
  ASSERT_EQ(gatewise({"fit", "people.toml", "--model.type", "linear", "--columns.city", "ignore", "--output",
                      "apart.model", "--training.epochs", "1", "--quiet"})
                .code,
            0);
  const Result result = gatewise({"diagnose", "apart.model", "test.csv"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(first_line(result.output),
              StartsWith("Not judged: the model shares nothing between its tasks"));
  EXPECT_THAT(result.errors, Not(HasSubstr("training a model")));
}

// A gate of one task sees its own experts and the shared ones: which weight is whose is shown.
TEST_F(DiagnoseTest, NumbersTheExpertsThatAGateSees) {
  ASSERT_EQ(gatewise({"fit", "people.toml", "--model.type", "cgc", "--model.shared_experts", "1", "--output",
                      "own.model", "--training.epochs", "1", "--quiet"})
                .code,
            0);
  const Result result = gatewise({"diagnose", "own.model", "test.csv", "--no-single"});
  ASSERT_EQ(result.code, 0) << result.errors;
  const auto line_of = [&](const std::string& words) {
    const size_t at = result.output.find(words), begin = result.output.rfind('\n', at) + 1;
    return result.output.substr(begin, result.output.find('\n', at) - begin);
  };
  EXPECT_THAT(line_of("gates/bought "),
              testing::ContainsRegex("#3 0\\.[0-9]+  #4 0\\.[0-9]+  #7 0\\.[0-9]+"));
  EXPECT_THAT(line_of("task_experts/bought/0 "), testing::ContainsRegex("^ *3 "));
}

TEST_F(DiagnoseTest, PredictGivesTheWeightsOfEveryGate) {
  const Result result = gatewise({"predict", "people.model", "test.csv", "--gates"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(first_line(result.output),
              StartsWith("clicked,bought,spent,gates/clicked:experts/0,gates/clicked:experts/1"));
  const Result values = gatewise({"predict", "people.model", "test.csv", "--value", "gates/clicked",
                                  "--value", "gates/bought", "--value", "gates/spent"});
  EXPECT_EQ(result.output.substr(result.output.find('\n')), values.output.substr(values.output.find('\n')));
}

}  // namespace
}  // namespace gatewise

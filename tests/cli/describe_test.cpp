// describe: data, models, plans and names. synth: rows whose truth is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/people_fixture.h"

namespace gatewise {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using DescribeTest = PeopleTest;

TEST_F(DescribeTest, AProposalIsAConfigurationThatTrains) {
  const Result proposal = gatewise({"describe", "train.csv", "--labels", "clicked,bought"});
  ASSERT_EQ(proposal.code, 0) << proposal.errors;
  EXPECT_THAT(proposal.output,
              AllOf(HasSubstr("[tasks]"), HasSubstr("clicked (binary): 1,500 rows with a label, rate"),
                    HasSubstr("Pearson correlation of clicked and bought: 0.")));
  write_text(file("proposed.toml"), proposal.output);
  const Result fit = gatewise({"fit", "proposed.toml", "--quiet", "--training.epochs", "1"});
  EXPECT_EQ(fit.code, 0) << fit.errors;
}

TEST_F(DescribeTest, AProposalAsJsonHasTheCorrelationOfEveryPair) {
  const Result proposal = gatewise({"describe", "train.csv", "--labels", "clicked,bought,spent", "--json"});
  ASSERT_EQ(proposal.code, 0) << proposal.errors;
  const Json json = Json::parse(proposal.output);
  EXPECT_EQ(json["labels"]["correlations"].size(), 3u);
  EXPECT_EQ(json["configuration"]["tasks"]["spent"]["kind"], "regression");
}

TEST_F(DescribeTest, AModelShowsItsParametersMetricsAndConfiguration) {
  const Result text = gatewise({"describe", "people.model"});
  ASSERT_EQ(text.code, 0) << text.errors;
  EXPECT_THAT(text.output,
              AllOf(HasSubstr("experts"), HasSubstr("gates"), HasSubstr("towers"), HasSubstr("embeddings"),
                    HasSubstr("clicked"), HasSubstr("auc"), HasSubstr("[training.optimiser]")));
  const Json json = Json::parse(gatewise({"describe", "people.model", "--json"}).output);
  int64_t sum = 0;
  for (const Json& group : json["parameters"]["groups"]) sum += group["values"].get<int64_t>();
  EXPECT_EQ(sum, json["parameters"]["total"].get<int64_t>());
  // Two experts of 8 over 2 numbers and the embedding of the city.
  const int64_t inputs = 2 + json["embeddings"][0]["width"].get<int64_t>();
  EXPECT_EQ(json["parameters"]["groups"][1]["values"].get<int64_t>(), 2 * (inputs * 8 + 8))
      << json["parameters"];
}

TEST_F(DescribeTest, NamesShowTheirOptionsOfEveryKind) {
  EXPECT_THAT(gatewise({"describe", "mmoe"}).output,
              AllOf(HasSubstr("architecture"), HasSubstr("experts"), HasSubstr("8")));
  EXPECT_THAT(gatewise({"describe", "mlp"}).output, AllOf(HasSubstr("(expert)"), HasSubstr("(tower)")));
  EXPECT_THAT(gatewise({"describe", "training"}).output, AllOf(HasSubstr("epochs"), HasSubstr("batch_rows")));
  EXPECT_THAT(gatewise({"describe", "training.stop"}).output, HasSubstr("patience"));
  EXPECT_THAT(gatewise({"describe"}).output,
              AllOf(HasSubstr("mmoe"), HasSubstr("auc"), HasSubstr("softmax"), HasSubstr("related_tasks")));
}

TEST_F(DescribeTest, AConfigurationIsWrittenOutInFull) {
  const Result result = gatewise({"describe", "people.toml", "--training.epochs", "7"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("epochs = 7"), HasSubstr("patience = ")));
}

TEST_F(DescribeTest, ThePlanOfAModelIsThatOfItsConfiguration) {
  const Result model = gatewise({"describe", "--plan", "people.model"});
  const Result configuration = gatewise({"describe", "--plan", "people.toml"});
  ASSERT_EQ(model.code, 0) << model.errors;
  EXPECT_FALSE(model.output.empty());
  EXPECT_EQ(model.output, configuration.output);
}

TEST_F(DescribeTest, SynthesisedRowsAreAFunctionOfTheirOptions) {
  const auto synth = [](const char* output, const char* correlation) {
    return gatewise({"synth", "related_tasks", "--rows", "50", "--dimension", "5", "--correlation",
                     correlation, "--output", output, "--json"});
  };
  const Result first = synth("a.csv", "0.9");
  ASSERT_EQ(first.code, 0) << first.errors;
  EXPECT_EQ(Json::parse(first.output)["truth"]["options"]["correlation"], 0.9);
  ASSERT_EQ(synth("b.csv", "0.9").code, 0);
  ASSERT_EQ(synth("c.csv", "0.1").code, 0);
  EXPECT_EQ(read_text(file("a.csv")), read_text(file("b.csv")));
  EXPECT_NE(read_text(file("a.csv")), read_text(file("c.csv")));
}

TEST_F(DescribeTest, HelpGoesToStandardOutput) {
  const std::vector<std::vector<std::string>> asked{{"--help"},
                                                    {"fit", "--help"},
                                                    {"evaluate", "--help"},
                                                    {"predict", "--help"},
                                                    {"describe", "--help"},
                                                    {"synth", "--help"}};
  for (const auto& arguments : asked) {
    const Result help = gatewise(arguments);
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.output, HasSubstr("Usage:"));
    EXPECT_EQ(help.errors, "");
  }
}

}  // namespace
}  // namespace gatewise

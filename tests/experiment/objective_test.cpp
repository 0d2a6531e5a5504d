#include "experiment/objective.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "tests/base/message_of.h"

namespace gatewise {
namespace {

std::vector<TaskSpace> sample_tasks() {
  std::vector<TaskSpace> tasks(3);
  tasks[0].name = "click";
  tasks[0].kind = "binary";
  tasks[1].name = "a.buy";
  tasks[1].kind = "binary";
  tasks[2].name = "price";
  tasks[2].kind = "regression";
  return tasks;
}

Json sample_values() {
  return {
      {"click",
       {{"auc", {{"value", 0.8}}}, {"log_loss", {{"value", 0.4}}}, {"calibration_ratio", {{"value", 2.0}}}}},
      {"a.buy", {{"auc", {{"value", 0.6}}}, {"log_loss", {{"value", 0.2}}}}},
      {"price", {{"r2", {{"value", 0.1}}}, {"rmse", {{"value", 7.0}}}}}};
}

Objective objective_of(const Json& given) { return Objective::read(given, sample_tasks()); }
double value_of(const Json& given) { return objective_of(given).value(sample_values()).value(); }

std::string refusal_of_objective(const Json& given) {
  return message_of([&] { objective_of(given); });
}

TEST(Objective, IsAMetricATaskOrAWeightedMean) {
  EXPECT_DOUBLE_EQ(value_of(""), (0.8 + 0.6 + 0.1) / 3);
  EXPECT_DOUBLE_EQ(value_of("auc"), 0.7);
  EXPECT_DOUBLE_EQ(value_of("click"), 0.8);
  EXPECT_DOUBLE_EQ(value_of("a.buy"), 0.6) << "a name with a dot is a task";
  EXPECT_DOUBLE_EQ(value_of("a.buy.log_loss"), 0.2);
  EXPECT_DOUBLE_EQ(value_of({{"click.auc", 3}, {"a.buy", 1}}), (3 * 0.8 + 0.6) / 4);
}

TEST(Objective, TurnsDirectionsToOneSide) {
  EXPECT_TRUE(objective_of("log_loss").is_lower_better());
  EXPECT_DOUBLE_EQ(value_of("log_loss"), 0.3);
  EXPECT_DOUBLE_EQ(objective_of("log_loss").cost(0.3), 0.3);
  EXPECT_FALSE(objective_of("auc").is_lower_better());
  EXPECT_DOUBLE_EQ(objective_of("auc").cost(0.7), -0.7);
  EXPECT_DOUBLE_EQ(value_of({{"click.auc", 1}, {"price.rmse", 1}}), (0.8 - 7) / 2);
  EXPECT_DOUBLE_EQ(value_of("click.calibration_ratio"), -std::log(2.0));
}

TEST(Objective, LeavesOutTermsWithoutWeight) {
  const Objective objective = objective_of({{"click.auc", 0}, {"price.rmse", 2}});
  EXPECT_TRUE(objective.is_lower_better());
  EXPECT_DOUBLE_EQ(objective.value(sample_values()).value(), 7);
  EXPECT_EQ(objective.text(), "rmse of price");
}

TEST(Objective, CanBeSaidByTheOptionsOfStopping) {
  const auto stop = [](const Json& given) { return objective_of(given).stop_options(sample_tasks()); };
  EXPECT_EQ(stop(""), Json::object());
  EXPECT_EQ(stop({{"click.log_loss", 1}, {"a.buy.log_loss", 1}, {"price", 1}}),
            (Json{{"metric", "log_loss"}}));
  EXPECT_EQ(stop("price.rmse"),
            (Json{{"metric", "rmse"}, {"weights", {{"click", 0.0}, {"a.buy", 0.0}, {"price", 1.0}}}}));
  EXPECT_FALSE(stop({{"click.auc", 1}, {"click.log_loss", 1}})) << "two metrics of one task";
  EXPECT_FALSE(stop({{"click.auc", 1}, {"a.buy.log_loss", 1}})) << "the metric would be that of both";
}

TEST(Objective, HasNoValueWhereAMetricIsUndefined) {
  Json values = sample_values();
  values["click"]["auc"] = {{"value", nullptr}, {"why_undefined", "one class"}};
  EXPECT_FALSE(objective_of("auc").value(values));
  EXPECT_EQ(objective_of("auc").why_undefined(values), "auc of click: one class");
  EXPECT_TRUE(objective_of("a.buy").value(values));
  EXPECT_TRUE(objective_of({{"click", 0}, {"a.buy", 1}}).value(values)) << "a weight of 0 is not asked for";
}

TEST(Objective, RefusesWhatDoesNotFit) {
  EXPECT_THAT(refusal_of_objective("clik.auc"), testing::HasSubstr("Did you mean \"click\"?"));
  EXPECT_THAT(refusal_of_objective("click.acu"), testing::HasSubstr("auc"));
  EXPECT_THAT(refusal_of_objective("price.auc"), testing::HasSubstr("price is a regression task"));
  EXPECT_THAT(refusal_of_objective({{"click", -1}}), testing::HasSubstr("expected a weight of at least 0"));
  EXPECT_THAT(refusal_of_objective({{"click", 0}}), testing::HasSubstr("expected a weight above 0"));
  EXPECT_THAT(refusal_of_objective(7), testing::HasSubstr("expected a text"));
}

TEST(Objective, HasItsMetricsMeasured) {
  Configuration configuration;
  objective_of("click.accuracy").require(configuration, sample_tasks());
  EXPECT_THAT(configuration.evaluation.metrics, testing::IsSupersetOf({"accuracy", "auc", "rmse"}));
  EXPECT_EQ(configuration.training.metrics, configuration.evaluation.metrics);
  configuration.evaluation.metrics = {"auc"};
  objective_of("click.log_loss").require(configuration, sample_tasks());
  EXPECT_THAT(configuration.evaluation.metrics, testing::ElementsAre("auc", "log_loss"));
}

TEST(Objective, ReadsAsASentence) {
  EXPECT_EQ(objective_of("click").text(), "auc of click");
  EXPECT_EQ(objective_of({{"click", 2}, {"a.buy", 1}}).text(), "mean of 2 x auc of click, 1 x auc of a.buy");
  EXPECT_EQ(objective_of("log_loss").text(), "mean of log_loss of click, log_loss of a.buy");
  EXPECT_EQ(objective_of("click.calibration_ratio").text(), "- |log calibration_ratio of click|");
  EXPECT_EQ(objective_of({{"click", 1}, {"price.rmse", 1}}).text(), "mean of auc of click, - rmse of price");
  EXPECT_EQ(objective_of({{"click", 2}, {"price.rmse", 3}}).text(),
            "mean of 2 x auc of click, - 3 x rmse of price");
}

}  // namespace
}  // namespace gatewise

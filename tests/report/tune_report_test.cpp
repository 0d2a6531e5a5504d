#include "report/tune_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/tune_text.h"

namespace gatewise {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// As the search writes it, by hand: three trials of a number and a choice, one of which failed.
Json searched() {
  const auto trial = [](int number, double rate, const char* gate, const char* status) {
    return Json{{"number", number},
                {"proposed_by", number == 1 ? "first" : "search"},
                {"values", {{"training.optimiser.rate", rate}, {"model.gate", gate}}},
                {"status", status},
                {"epochs", 3},
                {"parameters", {{"total", 1000 * number}}},
                {"seconds", 1.5}};
  };
  Json first = trial(1, 0.001, "softmax", "finished"), second = trial(2, 0.01, "top_k", "cut"),
       third = trial(3, 1, "top_k", "failed");
  first["value"] = 0.7;
  second["value"] = 0.8;
  third["error"] = "the loss is not finite";
  return {
      {"objective", {{"text", "auc of income"}, {"better", "higher"}}},
      {"settings", {{"trials", 3}}},
      {"space",
       {{{"name", "training.optimiser.rate"}, {"kind", "number"}, {"min", 1e-4}, {"max", 1}, {"log", true}},
        {{"name", "model.gate"}, {"kind", "choice"}, {"choices", {"softmax", "top_k"}}}}},
      {"trials", {first, second, third}},
      {"convergence", {0.7, 0.8, 0.8}},
      {"best",
       {{"number", 2},
        {"value", 0.8},
        {"values", second["values"]},
        {"metrics",
         {{"validation",
           {{"rows", 100},
            {"tasks", {{"income", {{"auc", {{"value", 0.8}, {"direction", "higher is better"}}}}}}}}}}}}},
      {"importance",
       {{"options",
         {{{"name", "training.optimiser.rate"}, {"alone", 0.6}, {"in_all", 0.75}},
          {{"name", "model.gate"}, {"alone", 0.2}, {"in_all", 0.4}}}}}}};
}

// The figure of that title.
Json figure_of(const Report& report, const std::string& title) {
  for (const Json& section : report.sections()) {
    for (const Json& block : section["blocks"]) {
      for (const Json& figure : block.value("figures", Json::array())) {
        if (figure["title"] == title) return figure;
      }
    }
  }
  return {};
}

TEST(TuneReport, SaysWhatIsBestAndWhatMatters) {
  EXPECT_EQ(tune_report(searched()).headline(),
            "Of 3 trials number 2 is best: auc of income 0.8000, where the search began with 0.7000. "
            "training.optimiser.rate matters most: it has a part in 75 % of the differences.");
}

TEST(TuneReport, ShowsTheHistoryAndEveryOptionOnItsScale) {
  const Report report = tune_report(searched());
  EXPECT_EQ(figure_of(report, "Value of every trial, and the best so far")["data"]["rows"],
            Json::parse(R"([[1, 0.7, "best so far"], [2, 0.8, "best so far"], [3, 0.8, "best so far"],
                            [1, 0.7, "finished"], [2, 0.8, "ended early"]])"));
  const Json rate = figure_of(report, "training.optimiser.rate");
  EXPECT_EQ(rate["x"]["scale"], "log");
  EXPECT_EQ(rate["data"]["rows"].size(), 2u) << "a failed trial has no value";
  EXPECT_EQ(figure_of(report, "model.gate")["x"]["scale"], "category");
  EXPECT_THAT(report.sections().dump(), HasSubstr("the loss is not finite"));
}

TEST(TuneReport, SpeaksOfIntervalsOnlyWhereThereAreSome) {
  Json json = searched();
  Json& tasks = json["best"]["metrics"]["validation"]["tasks"];
  tasks["age"] = tasks["income"];
  EXPECT_THAT(tune_report(json).sections().dump(), Not(HasSubstr("95 % interval")));
  EXPECT_TRUE(figure_of(tune_report(json), "AUC on validation rows").is_null());
  for (Json& task : tasks) {
    task["auc"]["low"] = 0.75;
    task["auc"]["high"] = 0.85;
  }
  EXPECT_THAT(tune_report(json).sections().dump(), HasSubstr("95 % interval (bootstrap"));
  EXPECT_EQ(figure_of(tune_report(json), "AUC on validation rows")["data"]["rows"].size(), 2u);
}

TEST(TuneReport, SaysWhyThereIsNoImportance) {
  Json json = searched();
  json["importance"] = {{"options", Json::array()}, {"why_none", "3 trials are too few"}};
  const std::string sections = tune_report(json).sections().dump();
  EXPECT_THAT(sections, HasSubstr("without the importance of the options: 3 trials are too few"));
  EXPECT_THAT(sections, Not(HasSubstr("importance alone")));
  EXPECT_THAT(tune_text(json), HasSubstr("without the importance of the options: 3 trials are too few"));
  EXPECT_THAT(tune_text(json), Not(HasSubstr("importance (alone)")));
  EXPECT_THAT(tune_text(searched()), HasSubstr("importance (alone)"));
}

TEST(TuneReport, WithoutASuccessfulTrialSaysSo) {
  Json json = searched();
  json.erase("best");
  json["importance"]["options"] = Json::array();
  EXPECT_EQ(tune_report(json).headline(), "None of 3 trials succeeded.");
  EXPECT_THAT(tune_report(json).sections().dump(), HasSubstr("the loss is not finite"));
}

}  // namespace
}  // namespace gatewise

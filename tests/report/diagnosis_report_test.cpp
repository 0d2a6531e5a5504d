#include "report/diagnosis_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/diagnosis_text.h"

namespace gatewise {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Json expert_found(const char* path, Json task, double share) {
  return {{"path", path},
          {"task", std::move(task)},
          {"zero_share", 0.5},
          {"saturated_share", 0.0},
          {"mean", 0.1},
          {"scale", 0.2},
          {"effective_rank", 1.5},
          {"units", 2},
          {"dead_units", 1},
          {"identical_units", 0},
          {"unit_zero_shares", {1.0, 0.0}},
          {"histogram", {3, 1}},
          {"gradient_shares", {{"buy", share}, {"click", 1 - share}}},
          {"removed", {{"buy", {{"loss", 0.04}}}, {"click", {{"loss", -0.02}}}}}};
}

// As diagnose() writes it, by hand.
Json diagnosed() {
  const Json gate{
      {"path", "levels/0/gates/buy"},
      {"sees", {"levels/0/shared_experts/0", "levels/0/task_experts/buy/0"}},
      {"weights", {0.9, 0.1}},
      {"leads", {1.0, 0.0}},
      {"uniform", {{"buy", {{"loss", 0.1}}}}},
      {"training", {{"epochs", {1, 2}}, {"weights", {{0.5, 0.5}, {0.9, 0.1}}}, {"entropy", {0.69, 0.33}}}}};
  return {
      {"model", "folder/shop.model"},
      {"rows", 500},
      {"rows_looked_at", 400},
      {"sharing",
       {{"text", "Sharing helps buy"},
        {"tasks",
         {{"buy",
           {{"metric", "auc"},
            {"shared", 0.8},
            {"single", 0.7},
            {"gain", 0.1},
            {"low", 0.05},
            {"high", 0.15},
            {"verdict", "helps"}}}}}}},
      {"verdicts",
       {{{"kind", "gate_polarisation"},
         {"where", "levels/0/gates/buy"},
         {"text", "one expert has 90 % of the weight"},
         {"confidence", 0.9},
         {"evidence", {{"weight", 0.9}}},
         {"remedy", {{"text", "a balance loss"}, {"changes", {{"model.gate.balance", 0.01}}}}}}}},
      {"thresholds", {{"polarisation", 0.9}}},
      {"tasks", {{"buy", {{"loss", 0.4}, {"metric", "auc"}}}, {"click", {{"loss", 0.2}, {"metric", "auc"}}}}},
      {"levels",
       {{{"name", "levels/0"},
         {"experts",
          {expert_found("levels/0/shared_experts/0", nullptr, 0.3),
           expert_found("levels/0/task_experts/buy/0", "buy", 1)}},
         {"histogram_range", {0.0, 1.0}},
         {"similarity", {{1.0, 0.2}, {0.2, 1.0}}},
         {"gates", {gate}},
         {"gate_similarity", {{1.0}}}}}},
      {"gradients", {{"pairs", {{{"tasks", {"buy", "click"}}, {"cosine", -0.5}, {"standard_error", 0.1}}}}}},
      {"columns",
       {{{"column", "age"}, {"permuted", {{"buy", {{"loss", 0.01}}}, {"click", {{"loss", 0.001}}}}}},
        {{"column", "price"},
         {"permuted",
          {{"buy", {{"loss", 0.0}}}, {"click", {{"loss", 0.1}, {"standard_error", {{"loss", 0.02}}}}}}}}}}};
}

std::vector<Json> rows_of_figure(const Report& report, const std::string& title) {
  std::vector<Json> rows;
  for (const Json& section : report.sections()) {
    for (const Json& block : section["blocks"]) {
      for (const Json& figure : block.value("figures", Json::array())) {
        for (const Json& row : figure["data"]["rows"]) {
          if (figure["title"] == title) rows.push_back(row);
        }
      }
    }
  }
  return rows;
}

std::vector<std::string> figure_titles(const Report& report) {
  std::vector<std::string> titles;
  for (const Json& section : report.sections()) {
    for (const Json& block : section["blocks"]) {
      for (const Json& figure : block.value("figures", Json::array())) titles.push_back(figure["title"]);
    }
  }
  return titles;
}

TEST(DiagnosisReport, AnswersTheFirstQuestionFirst) {
  const Report report = diagnosis_report(diagnosed());
  EXPECT_EQ(report.title(), "shop.model: what its experts and gates do");
  EXPECT_EQ(report.headline(), "Sharing helps buy. 1 verdict: gate polarisation.");
  Json healthy = diagnosed();
  healthy["verdicts"] = Json::array();
  EXPECT_EQ(diagnosis_report(healthy).headline(), "Sharing helps buy. No fault found.");
  EXPECT_THAT(report.sections()[0].dump(),
              HasSubstr("one expert has 90 % of the weight. Remedy: a balance loss"));
}

TEST(DiagnosisReport, ShowsWhatExpertsAndGatesDo) {
  const std::vector<std::string> titles = figure_titles(diagnosis_report(diagnosed()));
  for (const char* title :
       {"Mean weight of each expert by gate", "Share of rows that an expert leads",
        "What each expert is worth: loss without it", "What each gate is worth: loss if it is uniform",
        "Whose gradient each expert receives", "Similarity of the experts' outputs", "Activations",
        "Share of zero outputs of every unit", "gates/buy: weights while training",
        "Entropy of the gates while training", "Cosine of the tasks' gradients on shared parameters",
        "buy: importance of the columns", "click: importance of the columns",
        "Gain of each task by sharing"}) {
    EXPECT_THAT(titles, Contains(title));
  }
}

TEST(DiagnosisReport, NamesExpertsWithoutTheirLevelAndOrdersColumnsByWhatTheyMean) {
  const Report report = diagnosis_report(diagnosed());
  EXPECT_THAT(
      rows_of_figure(report, "Mean weight of each expert by gate"),
      ElementsAre(Json{"gates/buy", "shared_experts/0", 0.9}, Json{"gates/buy", "task_experts/buy/0", 0.1}));
  std::vector<Json> columns;
  for (const Json& row : rows_of_figure(report, "buy: importance of the columns")) columns.push_back(row[0]);
  // The price raises a loss by half of it, age by a fortieth.
  EXPECT_THAT(columns, ElementsAre("price", "age"));
}

// Tasks have losses of different units: what an expert is worth is in shares of each.
TEST(DiagnosisReport, ComparesLossesOfTasksByTheirOwnSize) {
  const std::vector<Json> worth =
      rows_of_figure(diagnosis_report(diagnosed()), "What each expert is worth: loss without it");
  EXPECT_THAT(worth, Contains(Json{"shared_experts/0", "buy", 0.04 / 0.4}));
  EXPECT_THAT(worth, Contains(Json{"shared_experts/0", "click", -0.02 / 0.2}));
}

TEST(DiagnosisReport, ShowsTheErrorOfImportances) {
  const std::vector<Json> rows =
      rows_of_figure(diagnosis_report(diagnosed()), "click: importance of the columns");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0][0], "price");
  EXPECT_NEAR(rows[0][2].get<double>(), 0.1 - 2 * 0.02, 1e-12);
  EXPECT_NEAR(rows[0][3].get<double>(), 0.1 + 2 * 0.02, 1e-12);
  EXPECT_TRUE(rows[1][2].is_null());
}

// In lines that a terminal holds, whatever the number of tasks.
TEST(DiagnosisText, OfManyTasksShowsTheFewThatMatter) {
  Json found = diagnosed();
  Json& level = found["levels"][0];
  level["gates"][0].erase("training");
  level["gates"][0]["effective_experts"] = 1.2;
  level["gates"][0]["uniform"] = {{"buy", {{"loss", 0.0}}}, {"click", {{"loss", -0.05}}}};
  Json& pairs = found["gradients"]["pairs"];
  for (int task = 0; task < 38; ++task) {
    const std::string name = fmt::format("task_{}", task);
    found["tasks"][name] = {{"loss", 0.5}, {"metric", "auc"}};
    pairs.push_back({{"tasks", {"buy", name}}, {"cosine", -0.01 * task}, {"standard_error", 0.1}});
    level["experts"][0]["gradient_shares"][name] = 0.001;
    for (Json& column : found["columns"]) column["permuted"][name] = {{"loss", 0.001}};
  }
  found["gradients"]["unpaired_tasks"] = 8;
  for (auto& [task, of_task] : found["tasks"].items())
    of_task.update({{"labels", 9}, {"informative_labels", 4}, {"value", 0.5}, {"low", 0.4}, {"high", 0.6}});
  const std::string text = diagnosis_text(found, Style{}, 100);
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    EXPECT_LE(text.find('\n', at) - at, 130U) << text.substr(at, text.find('\n', at) - at);
  EXPECT_THAT(text, HasSubstr("the 10 pairs of 39 that pull apart most (--json has all)"));
  EXPECT_THAT(text, HasSubstr("buy and task_37"));
  EXPECT_THAT(text, HasSubstr("buy and click"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("buy and task_3 ")));
  EXPECT_THAT(text, HasSubstr("the last 8 tasks are in no pair"));
  EXPECT_THAT(text, HasSubstr("click 70 %, buy 30 %, task_0 0 % ..."));
  EXPECT_THAT(text, HasSubstr("+50.0 % ± 10.0 click"));
  // Nothing gets worse where the gate is uniform.
  EXPECT_THAT(text, ::testing::ContainsRegex("100 % +none\n"));
}

}  // namespace
}  // namespace gatewise

#include "report/html_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "report/fit_report.h"

namespace gatewise {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// What a page is made of. The contents of scripts and styles are not looked into, as in a browser.
struct Structure {
  std::vector<std::string> faults;          // tags that do not match
  std::vector<std::string> references;      // values of href and src
  std::map<std::string, std::string> json;  // id -> content of scripts with data

  explicit Structure(const std::string& page) {
    std::vector<std::string> open;
    for (size_t place = page.find('<'); place != std::string::npos; place = page.find('<', place)) {
      const size_t end = page.find('>', place);
      const std::string tag = page.substr(place + 1, end - place - 1);
      place = end + 1;
      if (tag.starts_with("!") || tag.ends_with("/")) continue;
      if (tag.starts_with("/")) {
        if (open.empty() || open.back() != tag.substr(1)) faults.push_back(tag);
        if (!open.empty()) open.pop_back();
        continue;
      }
      for (const char* name : {"href", "src"}) {
        if (tag.find(std::string(" ") + name + "=") != std::string::npos)
          references.push_back(attribute(tag, name));
      }
      const std::string element = tag.substr(0, tag.find_first_of(" \n"));
      open.push_back(element);
      if (element != "script" && element != "style") continue;
      const size_t close = page.find("</" + element + ">", place);
      if (tag.find("application/json") != std::string::npos)
        json[attribute(tag, "id")] = page.substr(place, close - place);
      place = close;
    }
    for (const std::string& element : open) faults.push_back("open: " + element);
  }

  static std::string attribute(const std::string& tag, const std::string& name) {
    const size_t from = tag.find(name + "=\"") + name.size() + 2;
    return tag.substr(from, tag.find('"', from) - from);
  }
};

Json measured(double value, const char* direction = "higher is better") {
  return {{"value", value}, {"direction", direction}, {"low", value - 0.01}, {"high", value + 0.01}};
}

// A result of fit with names that would break a careless page.
Json fit_result() {
  const std::string odd = "</script><b>\"odd\" & task\xff";
  Json epochs = Json::array();
  for (int epoch = 1; epoch <= 3; ++epoch) {
    epochs.push_back(
        {{"epoch", epoch},
         {"rate", 0.001},
         {"loss", 1.0 / epoch},
         {"losses", {{"income", 0.5 / epoch}, {odd, 0.5}}},
         {"penalties", {{"balance", 0.01}}},
         {"rows_per_second", 1e5},
         {"probes",
          {{"experts",
            {{"zero_share", {0.1, 0.2}},
             {"scale", {1, 2}},
             {"gradient", {{"income", {3.0, 1.0}}, {odd, {1.0, 1.0}}}},
             {"gates", {{"gates/income", {{"weights", {0.7, 0.3}}, {"entropy", 0.6}}}}}}}}},
         {"validation",
          {{"income", {{"auc", measured(0.8 + 0.01 * epoch)}}}, {odd, {{"auc", measured(0.7)}}}}}});
  }
  const Json calibration{{"bins",
                          {{{"rows", 10},
                            {"prediction_low", 0.1},
                            {"prediction_high", 0.3},
                            {"prediction", 0.2},
                            {"label", 0.25},
                            {"label_low", 0.1},
                            {"label_high", 0.5}}}},
                         {"error", 0.05},
                         {"predictions", {{{"from", 0}, {"to", 1}, {"rows", 10}, {"rows_of_label_1", 4}}}}};
  return {{"model", "folder/adult.model"},
          {"rows", {{"train", 1000}, {"test", 200}}},
          {"parameters", 4990},
          {"configuration", {{"model", {{"type", "mmoe"}}}, {"training", {{"seed", 1}}}}},
          {"history",
           {{"epochs", epochs},
            {"best_epoch", 2},
            {"stopped_by", "patience"},
            {"warnings", {"beware of <this>"}}}},
          {"metrics",
           {{"test",
             {{"rows", 200},
              {"tasks", {{"income", {{"auc", measured(0.9)}}}, {odd, {{"auc", measured(0.75)}}}}},
              {"calibration", {{"income", calibration}, {odd, {{"why_undefined", "no labels"}}}}}}}}}};
}

TEST(HtmlPage, IsWellFormedAndNeedsNothingBesideIt) {
  const Json result = fit_result();
  const std::string page = html_page(fit_report(result), result);
  const Structure structure(page);
  EXPECT_THAT(structure.faults, IsEmpty());
  EXPECT_THAT(structure.references, Not(IsEmpty()));
  EXPECT_THAT(structure.references, Each(StartsWith("#")));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, HasSubstr("Copyright 2017-2025 The Apache Software Foundation"));
  EXPECT_THAT(page, HasSubstr("END OF TERMS AND CONDITIONS"));
  EXPECT_THAT(page, Not(HasSubstr("{{"))) << "a mark of the page was not filled";
}

TEST(HtmlPage, HoldsTheResultAndTheFiguresAsJson) {
  const Json result = fit_result();
  const Report report = fit_report(result);
  const Structure structure(html_page(report, result));
  const Json embedded = Json::parse(structure.json.at("result"));
  EXPECT_EQ(embedded["history"],
            Json::parse(result["history"].dump(-1, ' ', false, Json::error_handler_t::replace)));
  const Json sections = Json::parse(structure.json.at("sections"));
  EXPECT_EQ(sections.size(), report.sections().size());
  std::vector<std::string> titles;
  for (const Json& section : sections) titles.push_back(section["title"]);
  EXPECT_THAT(titles, ElementsAre("Results", "Learning curves", "Calibration",
                                  "Experts and gates while training: experts", "Course of training",
                                  "Configuration"));
  const Json& curve = sections[1]["blocks"][0]["figures"][0];
  EXPECT_EQ(curve["title"], "income: training loss");
  EXPECT_EQ(curve["data"], Json::parse(R"({"columns": ["epoch", "value"], "rows": [[1, 0.5], [2, 0.25],
      [3, 0.16666666666666666]]})"));
}

TEST(HtmlPage, EveryFigureNamesColumnsThatItHas) {
  for (const Json& section : fit_report(fit_result()).sections()) {
    for (const Json& block : section["blocks"]) {
      for (const Json& figure : block.value("figures", Json::array())) {
        const Json& columns = figure["data"]["columns"];
        const auto has = [&](const Json& name) {
          return std::find(columns.begin(), columns.end(), name) != columns.end();
        };
        EXPECT_TRUE(has(figure["x"]["column"])) << figure["title"];
        EXPECT_TRUE(has(figure["y"]["column"])) << figure["title"];
        for (const char* key : {"series", "low", "high", "value"}) {
          EXPECT_TRUE(!figure.contains(key) || has(figure[key])) << figure["title"] << " " << key;
        }
      }
    }
  }
}

TEST(FitReport, SaysInWordsWhatCameOut) {
  EXPECT_EQ(fit_report(fit_result()).title(), "adult.model: mmoe on 2 tasks");
  EXPECT_THAT(
      fit_report(fit_result()).headline(),
      AllOf(StartsWith("On 200 test rows income reaches AUC 0.9000 (0.8900 to 0.9100), "),
            HasSubstr("The best of 3 epochs was number 2; training stopped because validation no longer"),
            HasSubstr("1 warning to look at")));
}

TEST(FitReport, ShowsWhatTheProbesSawOfGatesAndExperts) {
  const Json sections = fit_report(fit_result()).sections();
  const auto found = std::find_if(sections.begin(), sections.end(), [](const Json& section) {
    return section["title"] == "Experts and gates while training: experts";
  });
  ASSERT_NE(found, sections.end());
  const Json& figures = (*found)["blocks"][0]["figures"];
  ASSERT_EQ(figures.size(), 4u);
  EXPECT_EQ(figures[0]["data"]["rows"],
            Json::parse(R"([["gates/income", "0", 0.7], ["gates/income", "1", 0.3]])"));
  EXPECT_EQ(figures[1]["data"]["rows"][0], Json::parse(R"(["expert 0", "income", 0.75])"));
  EXPECT_EQ(figures[2]["data"]["rows"].size(), 3u) << "the entropy of one gate in three epochs";
  EXPECT_EQ(figures[3]["data"]["rows"].size(), 6u);
}

TEST(FitReport, OfManyTasksNamesTheWorstAndTheBest) {
  Json result = fit_result();
  Json& tasks = result["metrics"]["test"]["tasks"];
  tasks.clear();
  for (int task = 1; task <= 6; ++task)
    tasks["t" + std::to_string(task)] = {{"auc", measured(0.6 + 0.05 * task)}};
  EXPECT_THAT(fit_report(result).headline(),
              HasSubstr("6 tasks lie between AUC 0.6500 (0.6400 to 0.6600) for t1 and AUC 0.9000"));
}

TEST(Report, RefusesRowsOfAnotherLengthAndBlocksOutsideSections) {
  DataTable table{{"a", "b"}, {}};
  EXPECT_THROW(table.add({1}), Error);
  EXPECT_THROW(Report("t", "h").text("lost"), Error);
}

}  // namespace
}  // namespace gatewise

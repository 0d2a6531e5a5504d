#include "experiment/tuner.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/toml.h"
#include "tests/experiment/people_rows.h"

namespace gatewise {
namespace {

class TunerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<RowsFolder>();
    folder_->write("train.csv", sample_csv(400, 1));
    folder_->write("test.csv", sample_csv(400, 2));
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static Json searched() {
    Json json = sample_configuration(*folder_);
    json["model"]["experts"] = {{"min", 1}, {"max", 4}};
    json["training"]["optimiser"]["rate"] = {{"min", 1e-4}, {"max", 1.0}, {"log", true}};
    return json;
  }

  // Every trial trains all of its epochs.
  static Json searched_over(int64_t epochs) {
    Json json = searched();
    json["training"]["epochs"] = epochs;
    json["training"]["stop"]["patience"] = 0;
    return json;
  }

  static TuneSection section() {
    TuneSection section;
    section.trials = 8;
    section.starts = 4;
    section.parallel = 2;
    return section;
  }

  struct Search {
    Json result;
    int64_t known_runs = 0;
    bool is_complete = false;
  };

  static Search search(const Json& json, const TuneSection& section, int workers,
                       Journal* journal = nullptr) {
    SharedRows rows(2, false);
    Tuner tuner(SearchPlan::read(json), section, rows);
    Search found;
    found.is_complete = tuner.run({workers, journal, nullptr},
                                  [&](const Json&, int64_t known) { found.known_runs += known; });
    found.result = tuner.result();
    for (Json& trial : found.result["trials"]) trial.erase("seconds");
    return found;
  }

  inline static std::unique_ptr<RowsFolder> folder_;
};

TEST_F(TunerTest, ImprovesOnWhatItStartsWithAndGivesTheSettings) {
  Json json = searched();
  json["training"]["optimiser"]["rate"]["start"] = 1e-4;
  SharedRows rows(2, false);
  Tuner tuner(SearchPlan::read(json), section(), rows);
  ASSERT_TRUE(tuner.run({1, nullptr, nullptr}, {}));
  const Json result = tuner.result();
  ASSERT_EQ(result["trials"].size(), 8u);
  EXPECT_EQ(result["trials"][0]["proposed_by"], "first");
  EXPECT_EQ(result["trials"][7]["proposed_by"], "model");
  EXPECT_GT(result["best"]["value"].get<double>(), result["trials"][0]["value"].get<double>() + 0.1);
  EXPECT_EQ(result["convergence"].back(), result["best"]["value"]);
  EXPECT_EQ(result["importance"]["options"].size(), 2u);
  const size_t best = result["best"]["number"].get<size_t>() - 1;
  EXPECT_EQ(result["trials"][best]["values"], result["best"]["values"]);
  EXPECT_EQ(result["trials"][best]["is_best_so_far"], true);

  const Json configuration = tuner.best_configuration();
  EXPECT_EQ(configuration["model"]["experts"], result["best"]["values"]["model.experts"]);
  // The same configuration, fitted anew, has the value that the search saw.
  Trial again;
  again.configuration = Configuration::from_json(configuration);
  const Json fitted = run_trial(again, *rows.get(again.configuration));
  EXPECT_EQ(tuner.objective().value(fitted["metrics"]["validation"]["tasks"]),
            result["best"]["value"].get<double>());
}

TEST_F(TunerTest, IsTheSameSearchForAnyNumberOfWorkers) {
  TuneSection two_seeds = section();
  two_seeds.seeds = 2;
  two_seeds.halving = 2;
  const Json one = search(searched(), two_seeds, 1).result, four = search(searched(), two_seeds, 4).result;
  EXPECT_EQ(one, four);
  EXPECT_EQ(one["trials"][0]["values_by_seed"].size(), 2u);
}

TEST_F(TunerTest, RunsNothingAgainThatTheJournalHolds) {
  TuneSection short_search = section();
  short_search.trials = 5;
  Journal journal(folder_->file("journal"));
  const Search first = search(searched(), short_search, 2, &journal);
  EXPECT_EQ(first.known_runs, 0);
  const Search longer = search(searched(), section(), 2, &journal);
  EXPECT_EQ(longer.known_runs, 5);
  EXPECT_EQ(longer.result, search(searched(), section(), 1).result);
}

TEST_F(TunerTest, EndsTrialsThatAreNotAmongTheBest) {
  TuneSection halving = section();
  halving.trials = 10;
  halving.starts = 10;
  halving.parallel = 1;
  halving.halving = 2;
  const Json result = search(searched_over(6), halving, 2).result;
  int64_t cut = 0;
  double cut_values = 0, finished_values = 0;
  for (const Json& trial : result["trials"]) {
    cut += trial["status"] == "cut";
    if (trial["status"] == "cut") {
      EXPECT_THAT(trial["epochs"].get<int64_t>(), testing::AnyOf(1, 2, 4));
      cut_values += trial["value"].get<double>();
    } else {
      EXPECT_EQ(trial["epochs"], 6);
      finished_values += trial["value"].get<double>();
    }
  }
  EXPECT_EQ(result["trials"][0]["status"], "finished");
  EXPECT_EQ(result["trials"][1]["status"], "finished") << "one earlier trial is too few to compare with";
  EXPECT_GE(cut, 2);
  EXPECT_LE(cut, 7);
  EXPECT_LT(cut_values / static_cast<double>(cut), finished_values / static_cast<double>(10 - cut));
}

TEST_F(TunerTest, NeverCallsATrialTheBestThatWasCut) {
  // Trials that hardly differ, of which the first seed is better than the others: so is that of a cut trial.
  Json json = searched_over(5);
  json["model"]["experts"] = 2;
  json["training"]["optimiser"]["rate"] = {{"min", 0.02}, {"max", 0.0201}};
  json["training"]["seed"] = 8;
  TuneSection halving = section();
  halving.trials = 8;
  halving.seeds = 3;
  halving.halving = 2;
  halving.halving_epochs = 4;
  const Json result = search(json, halving, 2).result;
  double best_cut = 0, best_finished = 0;
  for (const Json& trial : result["trials"]) {
    double& best = trial["status"] == "cut" ? best_cut : best_finished;
    best = std::max(best, trial["value"].get<double>());
    EXPECT_FALSE(trial["status"] == "cut" && trial["is_best_so_far"].get<bool>());
  }
  EXPECT_GT(best_cut, best_finished) << "nothing is tested otherwise";
  EXPECT_EQ(result["best"]["value"], best_finished);
  EXPECT_EQ(result["convergence"].back(), best_finished);
}

TEST_F(TunerTest, KeepsTheEpochThatIsBestByTheObjective) {
  TuneSection few = section();
  few.trials = 1;
  few.objective = {{"left.log_loss", 2}};
  const auto stop_of = [&](const Json& json, bool has_note) {
    SharedRows rows(2, false);
    Tuner tuner(SearchPlan::read(json), few, rows);
    EXPECT_EQ(tuner.notes().size(), has_note ? 1u : 0u);
    EXPECT_TRUE(tuner.run({1, nullptr, nullptr}, {}));
    return tuner.best_configuration()["training"].value("stop", Json::object());
  };
  Json json = searched();
  json["training"]["stop"] = {{"patience", 7}};
  EXPECT_EQ(stop_of(json, false),
            (Json{{"patience", 7}, {"metric", "log_loss"}, {"weights", {{"left", 2.0}, {"right", 0.0}}}}));
  json["training"]["stop"] = {{"metric", "auc"}};
  EXPECT_EQ(stop_of(json, true), (Json{{"metric", "auc"}})) << "what is given stays";
}

TEST_F(TunerTest, SaysWhatItLeavesOut) {
  Json json = sample_configuration(*folder_);
  json["model"] = {{"type", "cgc"}, {"task_experts", 0}};
  TuneSection constrained = section();
  constrained.constraints = {"shared_experts > 4"};
  SharedRows rows(2, false);
  const Tuner tuner(SearchPlan::read(json), constrained, rows);
  EXPECT_THAT(tuner.notes(), testing::ElementsAre(testing::HasSubstr("model.task_experts stays 0"),
                                                  testing::HasSubstr("breaks \"shared_experts > 4\"")));
}

TEST_F(TunerTest, KeepsRunsThatMayEndEarlyApartFromWholeOnesInTheJournal) {
  TuneSection halving = section();
  halving.halving = 2;
  halving.trials = 6;
  Json json = searched();
  json["training"]["epochs"] = 4;
  Journal journal(folder_->file("shared.journal"));
  search(json, halving, 2, &journal);
  halving.halving = 0;
  EXPECT_EQ(search(json, halving, 2, &journal).result, search(json, halving, 2).result);
}

TEST_F(TunerTest, MeasuresTheBestTrialWithIntervals) {
  Json json = searched();
  json["evaluation"] = {{"resamples", 20}};
  TuneSection few = section();
  few.trials = 3;
  few.halving = 2;
  SharedRows rows(2, false);
  Tuner tuner(SearchPlan::read(json), few, rows);
  ASSERT_TRUE(tuner.run({1, nullptr, nullptr}, {}));
  const Json before = tuner.result()["best"];
  Journal journal(folder_->file("measured.journal"));
  ASSERT_TRUE(tuner.measure_best({1, &journal, nullptr}));
  ASSERT_TRUE(tuner.measure_best({1, &journal, nullptr}));
  EXPECT_EQ(journal.size(), 1u);
  const Json after = tuner.result()["best"];
  EXPECT_EQ(after["number"], before["number"]);
  for (const char* part : {"validation", "test"}) {
    const Json &left = before["metrics"][part]["tasks"]["left"]["auc"],
               &measured = after["metrics"][part]["tasks"]["left"]["auc"];
    EXPECT_FALSE(left.contains("low"));
    EXPECT_EQ(measured["value"], left["value"]);
    ASSERT_TRUE(measured.contains("low"));
    EXPECT_LT(measured["low"].get<double>(), measured["value"].get<double>());
    EXPECT_GT(measured["high"].get<double>(), measured["value"].get<double>());
  }
}

TEST_F(TunerTest, SaysWhyItKnowsNothingOfTheOptions) {
  TuneSection few = section();
  few.trials = 3;
  const Json importance = search(searched(), few, 1).result["importance"];
  EXPECT_TRUE(importance["options"].empty());
  EXPECT_EQ(importance.value("why_none", ""),
            "3 trials succeeded, and telling 2 options apart takes at least 4");
}

TEST_F(TunerTest, MeasuresWhatTheObjectiveNames) {
  TuneSection entropy = section();
  entropy.objective = "left.normalised_entropy";
  entropy.trials = 3;
  const Json result = search(searched(), entropy, 1).result;
  ASSERT_EQ(result["trials"].size(), 3u);
  for (const Json& trial : result["trials"]) EXPECT_EQ(trial["status"], "finished");
}

TEST_F(TunerTest, CountsCombinationsThatAreImpossibleAsFailures) {
  Json json = searched();
  json["model"].erase("experts");
  json["model"]["type"] = {{"choices", {"mmoe", "tensor_factorization"}}, {"start", "mmoe"}};
  json["model"]["expert"]["dropout"] = {{"choices", {0.0, 0.3}}, {"start", 0.0}};  // the latter takes none
  TuneSection all = section();
  all.trials = 12;
  all.starts = 12;
  int64_t failed = 0;
  const Json result = search(json, all, 1).result;
  for (const Json& trial : result["trials"]) {
    const Json& values = trial["values"];
    const bool is_impossible =
        values["model.type"] == "tensor_factorization" && values["model.expert.dropout"] == Json(0.3);
    EXPECT_EQ(trial["status"], is_impossible ? "failed" : "finished") << trial.dump();
    EXPECT_EQ(trial.contains("error"), is_impossible);
    failed += is_impossible;
  }
  EXPECT_GE(failed, 1);
}

TEST_F(TunerTest, CountsDivergedRunsAsFailures) {
  Json json = searched();
  json["training"]["optimiser"] = {{"kind", "sgd"}, {"rate", {{"choices", {0.1, 1e30}}}}};
  const Json result = search(json, section(), 1).result;
  int64_t failed = 0;
  for (const Json& trial : result["trials"]) {
    if (trial["status"] != "failed") continue;
    ++failed;
    EXPECT_THAT(trial["error"].get<std::string>(), testing::HasSubstr("not finite"));
    EXPECT_FALSE(trial.contains("value"));
  }
  EXPECT_GE(failed, 4) << "every trial at the rate that diverges";
  EXPECT_EQ(result["best"]["values"]["training.optimiser.rate"], 0.1);
}

TEST_F(TunerTest, SaysWhyNoTrialSucceeded) {
  Json json = searched();
  json["training"]["optimiser"] = {{"kind", "sgd"}, {"rate", {{"choices", {1e30, 1e31}}}}};
  json["model"]["experts"] = 2;
  SharedRows rows(2, false);
  Tuner tuner(SearchPlan::read(json), section(), rows);
  EXPECT_TRUE(tuner.run({1, nullptr, nullptr}, {}));
  EXPECT_FALSE(tuner.result().contains("best"));
  try {
    tuner.best_configuration();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("not finite"));
  }
}

TEST_F(TunerTest, RefusesToJudgeOnTestRows) {
  Json json = searched();
  json["split"] = {{"kind", "fraction"}, {"of", "test"}, {"fractions", {{"test", 1.0}}}};
  SharedRows rows(2, false);
  EXPECT_THROW(Tuner(SearchPlan::read(json), section(), rows), Error);
}

TEST_F(TunerTest, RefusesHalvingThatKeepsEverythingOrHasNoCommonEpochs) {
  SharedRows rows(2, false);
  TuneSection halving = section();
  halving.halving = 1;
  EXPECT_THROW(Tuner(SearchPlan::read(searched()), halving, rows), Error);
  halving.halving = 3;
  halving.halving_epochs = 2;
  EXPECT_THROW(Tuner(SearchPlan::read(searched()), halving, rows), Error) << "of 2 epochs";
  halving.halving_epochs = 1;
  Json json = searched();
  json["training"]["epochs"] = {{"min", 1}, {"max", 3}};
  EXPECT_THROW(Tuner(SearchPlan::read(json), halving, rows), Error);
}

}  // namespace
}  // namespace gatewise

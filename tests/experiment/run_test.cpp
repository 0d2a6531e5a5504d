#include "experiment/run.h"

#include <gmock/gmock.h>

#include "tests/base/message_of.h"
#include "tests/experiment/people_rows.h"

namespace gatewise {
namespace {

class TrialsTest : public testing::Test {
 protected:
  TrialsTest() {
    folder_.write("train.csv", sample_csv(400, 1));
    folder_.write("test.csv", sample_csv(300, 2));
  }

  std::vector<Trial> trials(int64_t seeds) const {
    std::vector<Trial> list;
    for (int64_t seed = 1; seed <= seeds; ++seed) {
      for (const char* type : {"mmoe", "shared_bottom"}) {
        Json json = sample_configuration(folder_);
        json["model"]["type"] = type;
        list.push_back({type, seed, with_seed(Configuration::from_json(json), seed, SeedScope::Everything)});
      }
    }
    return list;
  }

  // What does not depend on time.
  static std::vector<Json> lasting(std::vector<Json> results) {
    for (Json& result : results) {
      result.erase("seconds");
      result.erase("rows_per_second");
    }
    return results;
  }

  RowsFolder folder_;
};

TEST_F(TrialsTest, ResultsDependNeitherOnWorkersNorOnOrder) {
  std::vector<Trial> list = trials(3);
  SharedRows rows(4, true);
  const std::vector<Json> one = lasting(run_trials(rows, {.workers = 1}, list));
  EXPECT_EQ(lasting(run_trials(rows, {.workers = 3}, list)), one);
  std::reverse(list.begin(), list.end());
  SharedRows fresh(1, false);
  std::vector<Json> backward = lasting(run_trials(fresh, {.workers = 2}, list));
  std::reverse(backward.begin(), backward.end());
  EXPECT_EQ(backward, one);
  EXPECT_NE(one[0]["metrics"], one[1]["metrics"]);
  EXPECT_NE(one[0]["metrics"], one[2]["metrics"]);
  EXPECT_EQ(one[0]["losses"]["left"].size(), 2u);
  EXPECT_EQ(one[0]["validation"]["right"]["auc"].size(), 2u);
}

TEST_F(TrialsTest, ATrialIsWhatFitGives) {
  const Trial trial = trials(1)[0];
  SharedRows rows(1, true);
  const Json result = run_trials(rows, {.workers = 1}, {trial})[0];
  const TrainingRows own = load_training_rows(trial.configuration, nullptr);
  Pool pool(2);
  UntrainedModel model = make_model(trial.configuration, own);
  const Json history = fit_model(model, trial.configuration, own, {}, pool);
  EXPECT_EQ(result["metrics"], measure_model(model, trial.configuration, own, pool));
  EXPECT_EQ(result["best_epoch"], history["best_epoch"]);
  EXPECT_EQ(result["parameters"]["total"], model.store->parameter_count());
}

TEST_F(TrialsTest, SharedRowsAreOneCopyAndSeedsShareTheTrainingRows) {
  const std::vector<Trial> list = trials(2);
  SharedRows rows(4, true);
  const auto first = rows.get(list[0].configuration);
  EXPECT_EQ(rows.get(list[1].configuration), first);
  const auto second = rows.get(list[2].configuration);
  EXPECT_NE(second, first);
  EXPECT_EQ(second->train, first->train);
  EXPECT_NE(second->test->labels, first->test->labels);
  const TrainingRows own = load_training_rows(list[2].configuration, nullptr);
  EXPECT_EQ(second->test->numeric, own.test->numeric);
  EXPECT_EQ(second->validation->ids, own.validation->ids);
  EXPECT_EQ(second->test_rows, own.test_rows);
  EXPECT_EQ(second->split_rows, 300);
}

TEST_F(TrialsTest, TheKeyIsOfWhatDeterminesTheResult) {
  const std::vector<Trial> list = trials(2);
  const auto key = [](const Configuration& configuration) {
    SharedRows rows(1, false);
    return trial_key(configuration, rows.identity(configuration));
  };
  Configuration same = list[0].configuration;
  same.training.threads = 2;
  same.output.model = "elsewhere";
  EXPECT_EQ(key(same), key(list[0].configuration));
  EXPECT_NE(key(list[1].configuration), key(list[0].configuration));
  EXPECT_NE(key(list[2].configuration), key(list[0].configuration));
  const std::string before = key(same);
  folder_.write("test.csv", sample_csv(300, 3));
  EXPECT_NE(key(same), before);
}

TEST_F(TrialsTest, TrialsMayFollowFromResults) {
  const std::vector<Trial> list = trials(2);
  SharedRows rows(2, true);
  // The others start only when the first has ended.
  size_t started = 0, finished = 0;
  const bool is_done = run_trials(
      rows, {.workers = 3},
      [&]() -> std::optional<Trial> {
        if (started == list.size() || (started > 0 && finished == 0)) return {};
        return list[started++];
      },
      [&](const Trial&, const Json&, bool) { ++finished; });
  EXPECT_TRUE(is_done);
  EXPECT_EQ(finished, list.size());
}

TEST_F(TrialsTest, AJournalSparesWhatIsDoneAndAStopGivesUpTheRest) {
  const std::vector<Trial> list = trials(2);
  SharedRows rows(2, true);
  std::atomic<bool> stop{false};
  std::vector<Json> first;
  {
    Journal journal(folder_.file("journal"));
    first = run_trials(rows, {.workers = 1, .journal = &journal, .stop_request = &stop}, list,
                       [&](const Trial& trial, const Json&, bool is_new) {
                         EXPECT_TRUE(is_new);
                         // The run sees the request a moment later: it waits here for it.
                         stop = trial.number == 1;
                         if (stop) std::this_thread::sleep_for(std::chrono::milliseconds(200));
                       });
  }
  stop = false;
  Journal journal(folder_.file("journal"));
  const size_t kept = journal.size();
  EXPECT_GE(kept, 2u);
  size_t repeated = 0;
  const std::vector<Json> all =
      run_trials(rows, {.workers = 2, .journal = &journal}, list,
                 [&](const Trial&, const Json&, bool is_new) { repeated += !is_new; });
  EXPECT_EQ(repeated, kept);
  EXPECT_EQ(all[0], first[0]);
  EXPECT_EQ(lasting(all), lasting(run_trials(rows, {.workers = 2}, list)));
}

TEST_F(TrialsTest, DivergenceIsAResultAndOtherErrorsEndTheRun) {
  std::vector<Trial> list = trials(1);
  list[0].configuration.training.optimiser = {{"kind", "sgd"}, {"rate", 1e30}};
  SharedRows rows(1, true);
  const std::vector<Json> results = run_trials(rows, {.workers = 2}, list);
  EXPECT_THAT(results[0]["error"].get<std::string>(), testing::HasSubstr("not finite"));
  EXPECT_TRUE(results[1].contains("metrics"));
  list[1].configuration.schema.data.train = {folder_.file("missing.csv")};
  EXPECT_THAT(message_of(Fault::Data, [&] { run_trials(rows, {.workers = 2}, list); }),
              testing::HasSubstr("missing.csv"));
}

}  // namespace
}  // namespace gatewise

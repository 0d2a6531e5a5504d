#include <gmock/gmock.h>

#include <csignal>
#include <fstream>

#include "tests/cli/people_fixture.h"

namespace gatewise {
namespace {

using ::testing::HasSubstr;

class TuneTest : public PeopleTest {
 protected:
  static std::vector<std::string> command(std::vector<std::string> more) {
    std::vector<std::string> all{"tune",
                                 "people.toml",
                                 "--training.epochs",
                                 "2",
                                 "--tune.trials",
                                 "6",
                                 "--tune.starts",
                                 "3",
                                 "--tune.parallel",
                                 "2",
                                 "--model.experts",
                                 "{min=1, max=6}",
                                 "--training.optimiser.rate",
                                 "{search=true}"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  static Json lasting(const std::string& output) {
    Json result = Json::parse(output);
    result.erase("seconds");
    result.erase("configuration");
    for (Json& trial : result["trials"]) trial.erase("seconds");
    return result;
  }

  static int64_t lines_of(const std::string& path) {
    std::ifstream stream(path);
    int64_t lines = 0;
    for (std::string line; std::getline(stream, line);) ++lines;
    return lines;
  }
};

TEST_F(TuneTest, WritesTheBestConfigurationWhichFits) {
  const Result tuned = gatewise(command({"--json", "--output", "best.toml", "--journal", "one.journal"}));
  ASSERT_EQ(tuned.code, 0) << tuned.errors;
  EXPECT_THAT(tuned.errors, HasSubstr("trial 6/6"));
  const Json result = Json::parse(tuned.output);
  EXPECT_EQ(result["trials"].size(), 6u);
  EXPECT_EQ(result["configuration"], "best.toml");
  const Result fitted = gatewise({"fit", "best.toml", "--json", "--output", "best.model"});
  ASSERT_EQ(fitted.code, 0) << fitted.errors;
  const Json metrics = Json::parse(fitted.output)["metrics"];
  for (const char* part : {"validation", "test"}) {
    for (const auto& [task, of_task] : result["best"]["metrics"][part]["tasks"].items()) {
      for (const auto& [name, metric] : of_task.items())
        EXPECT_EQ(metrics[part]["tasks"][task][name]["value"], metric["value"]) << part << task << name;
    }
  }
}

TEST_F(TuneTest, ShowsTheBestSettingsAndTrials) {
  const Result tuned = gatewise(command({"--journal", "one.journal", "--output", "shown.toml", "--quiet"}));
  ASSERT_EQ(tuned.code, 0) << tuned.errors;
  EXPECT_EQ(tuned.errors, "");
  for (const char* text :
       {"6 trials", "best mean of auc of", "training.optimiser.rate", "0.0001 to 0.1, log",
        "importance (alone)", "which the search has seen", "best trials", "experts=", "95 % interval"})
    EXPECT_THAT(tuned.output, HasSubstr(text));
}

TEST_F(TuneTest, GoesOnAfterItWasKilledToTheSameEnd) {
  const std::vector<std::string> killed =
      command({"--json", "--output", "killed.toml", "--journal", "killed.journal"});
  int64_t known = 0;
  for (int64_t at_least : {1, 3}) {
    Process process(killed, {folder_->path()});
    while (process.is_running() && lines_of(file("killed.journal")) < at_least) usleep(2000);
    process.send(SIGKILL);
    process.wait();
    EXPECT_GE(lines_of(file("killed.journal")), known);
    known = lines_of(file("killed.journal"));
  }
  const Result resumed = gatewise(killed);
  ASSERT_EQ(resumed.code, 0) << resumed.errors;
  EXPECT_THAT(resumed.errors, HasSubstr("runs were in killed.journal"));
  const Result whole =
      gatewise(command({"--json", "--output", "whole.toml", "--journal", "whole.journal", "--threads", "1"}));
  EXPECT_EQ(lasting(resumed.output), lasting(whole.output));
}

TEST_F(TuneTest, RefusesWhatItCannotSearch) {
  const auto message = [&](const std::vector<std::string>& more) {
    const Result result = gatewise(command(more));
    EXPECT_EQ(result.code, 2) << result.output;
    return result.errors;
  };
  EXPECT_THAT(message({"--tune.trails", "3"}), HasSubstr("Did you mean \"trials\"?"));
  EXPECT_THAT(message({"--tune.objective", "acu"}), HasSubstr("\"auc\""));
  EXPECT_THAT(message({"--tune.constraints", "[\"experts > 9\"]"}), HasSubstr("none of 20000 points"));
  EXPECT_THAT(message({"--model.gate.type", "{choices=[\"softmx\"]}"}), HasSubstr("\"softmax\""));
  const Result nowhere = gatewise(command({"--output", "no/such/folder/best.toml"}));
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_THAT(nowhere.errors, HasSubstr("no/such/folder"));
}

TEST_F(TuneTest, IsLeftAloneByFit) {
  const Result fitted = gatewise(
      {"fit", "people.toml", "--tune.trials", "3", "--training.epochs", "1", "--output", "other.model"});
  EXPECT_EQ(fitted.code, 0) << fitted.errors;
  EXPECT_EQ(gatewise({"fit", "people.toml", "--tune.trials", "0"}).code, 2);
}

}  // namespace
}  // namespace gatewise

// compare: the same numbers as fit, and nothing lost when it is killed.
#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "tests/cli/people_fixture.h"

namespace gatewise {
namespace {

using ::testing::HasSubstr;

class CompareTest : public PeopleTest {
 protected:
  static size_t lines_of(const std::string& name) {
    std::ifstream stream(file(name));
    size_t lines = 0;
    for (std::string line; std::getline(stream, line);) ++lines;
    return lines;
  }

  static std::vector<std::string> arguments(const std::string& journal,
                                            const std::vector<std::string>& more) {
    std::vector<std::string> all{"compare",   "people.toml", "--architectures", "mmoe,linear",
                                 "--journal", journal,       "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

TEST_F(CompareTest, GivesTheNumbersOfFitAsTextJsonAndCsv) {
  const auto asked = arguments("numbers.journal", {"--seeds", "2", "--training.epochs", "2"});
  auto as_json = asked;
  as_json.insert(as_json.end(), {"--json", "--csv", "values.csv"});
  const Result result = gatewise(as_json);
  ASSERT_EQ(result.code, 0) << result.errors;
  const Json compared = Json::parse(result.output);
  const Result fitted =
      gatewise({"fit", "people.toml", "--model.type", "mmoe", "--training.epochs", "2", "--training.seed",
                "2", "--split.seed", "2", "--output", "two.model", "--json"});
  ASSERT_EQ(fitted.code, 0) << fitted.errors;
  const Json own = Json::parse(fitted.output)["metrics"]["test"]["tasks"]["clicked"]["auc"]["value"];
  EXPECT_EQ(compared["tasks"]["clicked"]["auc"]["configurations"]["mmoe"]["values"][1], own);
  std::ifstream stream(file("values.csv"));
  const std::string csv((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  EXPECT_THAT(csv, HasSubstr("configuration,seed,part,task,metric,value\n"));
  EXPECT_THAT(csv, HasSubstr("\nmmoe,2,test,clicked,auc," + own.dump() + "\n"));
  const Result text = gatewise(asked);
  EXPECT_THAT(text.output, HasSubstr("clicked auc, higher is better"));
  EXPECT_THAT(text.output, HasSubstr("minus mmoe"));
  EXPECT_EQ(lines_of("numbers.journal"), 4u);
}

TEST_F(CompareTest, AKilledRunLosesOnlyTheModelsUnderWay) {
  const auto asked =
      arguments("killed.journal", {"--seeds", "12", "--training.epochs", "3", "--threads", "2", "--json"});
  const Result whole =
      gatewise(arguments("whole.journal", {"--seeds", "12", "--training.epochs", "3", "--json"}));
  ASSERT_EQ(whole.code, 0) << whole.errors;
  size_t kept = 0;
  for (const int signal : {SIGKILL, SIGINT}) {
    Process process(asked, {folder_->path()});
    while (process.is_running() && lines_of("killed.journal") < kept + 3)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    process.send(signal);
    const Result result = process.wait();
    kept = lines_of("killed.journal");
    if (signal != SIGINT || kept == 24) continue;
    EXPECT_EQ(result.code, 130);
    EXPECT_THAT(result.errors, HasSubstr("the same command goes on"));
  }
  const Result resumed = gatewise(asked);
  ASSERT_EQ(resumed.code, 0) << resumed.errors;
  EXPECT_EQ(Json::parse(resumed.output)["tasks"], Json::parse(whole.output)["tasks"]);
  // Nothing that was finished ran again.
  EXPECT_EQ(lines_of("killed.journal"), 24u);
}

TEST_F(CompareTest, SaysWhatItCannotCompare) {
  const Result unknown = gatewise({"compare", "people.toml", "--baseline", "peopel"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.errors, HasSubstr("Did you mean \"people\""));
  const Result data = gatewise({"compare", "train.csv"});
  EXPECT_EQ(data.code, 2);
  EXPECT_THAT(data.errors, HasSubstr("expected a configuration"));
  const Result widths = gatewise({"compare", "people.toml", "--widths", "expert.units"});
  EXPECT_EQ(widths.code, 2);
  EXPECT_THAT(widths.errors, HasSubstr("--equal-parameters"));
  const Result ranking = gatewise({"compare", "people.toml", "--metric", "accuracy", "--tasks.clicked.kind",
                                   "regression", "--tasks.bought.kind", "regression"});
  EXPECT_EQ(ranking.code, 2);
  EXPECT_THAT(ranking.errors, HasSubstr("\"accuracy\" fits no task"));
  const Result failed = gatewise({"compare", "people.toml", "--journal", "failed.journal", "--seeds", "2",
                                  "--training.optimiser", "{kind = \"sgd\", rate = 1e30}"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_EQ(failed.output, "");
  EXPECT_THAT(failed.errors, HasSubstr("none of 2 runs succeeded; the first:"));
}

TEST_F(CompareTest, SaysWhatOtherPredictionsLackAndWhichWidthsAreNotEqual) {
  std::string text = "clickd,bought\n";
  for (int row = 0; row < 500; ++row) text += "0.5," + std::to_string(row % 7) + "\n";
  write_text(file("scores.csv"), text);
  const Result result =
      gatewise(arguments("scores.journal", {"--seeds", "2", "--training.epochs", "1", "--metric", "auc",
                                            "--external", "scores=scores.csv", "--equal-parameters"}));
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("scores.csv: has no predictions of clicked, spent; columns of no task "
                                       "are not used: clickd"));
  EXPECT_THAT(result.errors, HasSubstr("linear: "));
  EXPECT_THAT(result.errors, HasSubstr("parameters outside the embeddings where mmoe has"));
  EXPECT_THAT(result.output, HasSubstr("resampled"));
  EXPECT_THAT(result.output, HasSubstr("one without 0 may be noise"));
}

}  // namespace
}  // namespace gatewise

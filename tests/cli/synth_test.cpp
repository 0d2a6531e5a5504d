// Synthetic tables with columns of ids: written to files, streamed into fit, explained by describe.
#include <gmock/gmock.h>

#include <iterator>
#include <sstream>

#include "table/synthetic.h"
#include "tests/cli/program.h"
#include "tests/table/made_rows.h"

namespace gatewise {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::vector<std::string> words(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

class SynthTest : public testing::Test {
 protected:
  Result gatewise(const std::vector<std::string>& arguments) { return run(arguments, {folder_.path()}); }
  TemporaryFolder folder_;
};

TEST_F(SynthTest, EveryKindWritesItsHeaderItsIdsAndItsTruth) {
  const std::vector<std::pair<std::string, std::string>> headers{
      {"behaviour_log",
       "user,item,position,length,effective_view,click,long_view,full_watch,replay,like,collect,share,"
       "comment,"
       "follow,fast_skip,report"},
      {"conversion_chain", "user,item,x0,x1,x2,x3,x4,x5,x6,x7,click,purchase"},
      {"one_task_rows", "task,x0,x1,x2,x3,x4,x5,x6,x7,x8,x9,x10,x11,x12,x13,x14,x15,x16,x17,x18,x19,y"}};
  for (const auto& [kind, header] : headers) {
    const Result made = gatewise(
        {"synth", kind, "--rows", "30", "--seed", "5", "--output", kind + ".csv", "--truth", kind + ".json"});
    ASSERT_EQ(made.code, 0) << made.errors;
    EXPECT_EQ(Json::parse(read_text(folder_.file(kind + ".json")))["kind"], kind);
    const auto table = make_synthetic_table(kind, {{"seed", 5}});
    const MadeRows expected = made_rows(*table, 0, 0, 30);
    std::istringstream lines(read_text(folder_.file(kind + ".csv")));
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line, header);
    for (int64_t row = 0; row < 30; ++row) {
      std::getline(lines, line);
      std::string ids;
      for (int64_t i = 0; i < table->id_columns(); ++i)
        ids += std::to_string(expected.ids[row * table->id_columns() + i]) + ",";
      EXPECT_EQ(line.substr(0, ids.size()), ids) << kind << " " << row;
    }
    EXPECT_FALSE(std::getline(lines, line));
    const Result described = gatewise({"describe", kind});
    EXPECT_THAT(described.output, AllOf(HasSubstr(kind), HasSubstr("synthetic table"), HasSubstr("seed")));
  }
}

TEST_F(SynthTest, StreamedIdsTrainAModelThatComesCloseToTheBestAttainableOnFiles) {
  const Result written =
      gatewise(words("synth behaviour_log --users 60 --items 40 --factors 1 "
                     "--behaviours [\"click\",\"fast_skip\"] --rows 6000 --output s.csv --json"));
  ASSERT_EQ(written.code, 0) << written.errors;
  const Json truth = Json::parse(written.output)["truth"]["behaviours"];
  const auto fit = [&](const std::string& threads, const std::string& output) {
    return gatewise(
        words("fit --synthetic.kind behaviour_log --synthetic.options.users 60 "
              "--synthetic.options.items 40 --synthetic.options.factors 1 "
              "--synthetic.options.behaviours [\"click\",\"fast_skip\"] --synthetic.embedding 8 "
              "--synthetic.validation_rows 50 --synthetic.test_rows 100 --training.epochs 1 "
              "--training.steps_per_epoch 500 --training.batch_rows 300 "
              "--training.optimiser.rate 0.01 --quiet --threads " +
              threads + " --output " + output));
  };
  const Result one = fit("1", "one.model"), two = fit("2", "two.model");
  ASSERT_EQ(one.code, 0) << one.errors;
  ASSERT_EQ(two.code, 0) << two.errors;
  EXPECT_TRUE(read_text(folder_.file("one.model/weights.safetensors")) ==
              read_text(folder_.file("two.model/weights.safetensors")));
  const Result evaluated = gatewise({"evaluate", "one.model", "s.csv", "--json"});
  ASSERT_EQ(evaluated.code, 0) << evaluated.errors;
  const Json tasks = Json::parse(evaluated.output)["tasks"];
  for (const char* task : {"click", "fast_skip"}) {
    const double auc = tasks[task]["auc"]["value"], best = truth[task]["best_auc"];
    EXPECT_GT(auc, best - .03) << task;
    EXPECT_LT(auc, best + .02) << task;
  }
  // 50 validation rows name few of the users; the stream names all.
  const Json described = Json::parse(gatewise({"describe", "one.model", "--json"}).output);
  EXPECT_EQ(described["embeddings"][0]["rows"], 61);
  EXPECT_EQ(described["embeddings"][0]["width"], 8);
}

TEST_F(SynthTest, ChainsAreStreamedIntoAnEntireSpaceModel) {
  const Result fit = gatewise(
      words("fit --synthetic.kind conversion_chain --synthetic.options.users 50 "
            "--synthetic.options.items 50 --synthetic.options.later_labels missing --model.type esmm "
            "--training.epochs 1 --training.steps_per_epoch 50 --training.batch_rows 256 "
            "--synthetic.validation_rows 2000 --synthetic.test_rows 2000 --quiet --json"));
  ASSERT_EQ(fit.code, 0) << fit.errors;
  const Json tasks = Json::parse(fit.output)["metrics"]["test"]["tasks"];
  EXPECT_GT(tasks["click"]["auc"]["value"].get<double>(), .5);
}

TEST_F(SynthTest, RowsOfOneTaskAreNotStreamed) {
  const Result fit = gatewise({"fit", "--synthetic.kind", "one_task_rows"});
  EXPECT_EQ(fit.code, 2);
  EXPECT_THAT(fit.errors, AllOf(HasSubstr("synthetic.kind"), HasSubstr("\"task\""),
                                HasSubstr("gatewise synth one_task_rows --rows")));
}

TEST_F(SynthTest, RareLabelsNeedEnoughRowsToValidateOn) {
  const Result fit = gatewise(words("fit --synthetic.kind behaviour_log --synthetic.validation_rows 50"));
  EXPECT_EQ(fit.code, 2);
  EXPECT_THAT(fit.errors, AllOf(HasSubstr("synthetic.validation_rows"), HasSubstr("is 1 in 0 and 0 in 50"),
                                HasSubstr("raise validation_rows")));
}

TEST_F(SynthTest, NonsenseIsRefusedBeforeAnythingIsWritten) {
  const std::vector<std::vector<std::string>> wrong{
      {"behaviour_log", "--behaviours", "[\"clik\"]", "\"click\""},
      {"behaviour_log", "--rates", "[0.1,0.2]", "synth.rates"},
      {"behaviour_log", "--behaviours", "click,like", "[\"a\", \"b\"]"},
      {"conversion_chain", "--steps", "9", "synth.steps"},
      {"conversion_chain", "--later_labels", "none", "later_labels"},
      {"one_task_rows", "--groups", "17", "synth.groups"},
      {"one_task_rows", "--shares", "[1,2]", "synth.shares"}};
  for (const std::vector<std::string>& words : wrong) {
    const Result made = gatewise({"synth", words[0], words[1], words[2], "--rows", "5", "--output", "x.csv"});
    EXPECT_EQ(made.code, 2) << words[1];
    EXPECT_THAT(made.errors, HasSubstr(words[3]));
    EXPECT_TRUE(listing(folder_.path()).empty());
  }
}

}  // namespace
}  // namespace gatewise

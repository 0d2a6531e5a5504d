// Every bad input: the right exit code, a message that helps, nothing on standard output, nothing written or
// lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

#include "model_file/manifest.h"
#include "tests/cli/people_fixture.h"

namespace gatewise {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct BadInput {
  const char* about;
  std::vector<std::string> arguments;
  int code;
  std::vector<std::string> said;  // parts of the message
};

class ErrorsTest : public PeopleTest {
 protected:
  static void SetUpTestSuite() {
    PeopleTest::SetUpTestSuite();
    const std::string head = "age,height,city,clicked,bought,spent\n";
    const std::string good = people_csv(40, 3);
    write_text(file("header.csv"), head);
    write_text(file("empty.csv"), "");
    write_text(file("narrow.csv"), good + "30,170,Rome,1\n");
    write_text(file("word.csv"), good + "abc,170,Rome,1,0,3\n");
    write_text(file("infinite.csv"), good + "inf,170,Rome,1,0,3\n");
    write_text(file("label.csv"), good + "30,170,Rome,2,0,3\n");
    write_text(file("no_age.csv"), "height,city,clicked,bought,spent\n170,Rome,1,0,3\n160,Rome,0,1,3\n");
    std::string no_label = head, one_class = head;
    for (int row = 0; row < 30; ++row) {
      no_label += fmt::format("{},170,Rome,,{},{}\n", 20 + row, row % 2, row);
      one_class += fmt::format("{},170,Rome,1,{},{}\n", 20 + row, row % 2, row);
    }
    write_text(file("no_label.csv"), no_label);
    write_text(file("one_class.csv"), one_class);
    write_text(file("syntax.toml"), "[data\ntrain = 1\n");
    write_text(file("not_a_model"), "hello\n");
    std::filesystem::create_directory(file("folder"));
    write_text(file("folder/precious.txt"), "keep me\n");
    spoil_models();
  }

  static void spoil_models() {
    const auto copy = [](const char* name) {
      std::filesystem::copy(file("people.model"), file(name), std::filesystem::copy_options::recursive);
    };
    copy("flipped.model");
    std::string weights = read_text(file("flipped.model/weights.safetensors"));
    weights[weights.size() - 5] = static_cast<char>(weights[weights.size() - 5] ^ 1);
    write_text(file("flipped.model/weights.safetensors"), weights);
    copy("short.model");
    write_text(file("short.model/weights.safetensors"), weights.substr(0, weights.size() / 2));
    copy("missing.model");
    std::filesystem::remove(file("missing.model/graph.json"));
    copy("future.model");
    Manifest manifest = read_manifest(file("future.model"));
    manifest.format = 99;
    write_text(file("future.model/manifest.json"), manifest.text());
  }

  void check(const BadInput& bad) {
    SCOPED_TRACE(bad.about);
    const std::vector<std::string> before = listing(folder_->path());
    const Result result = gatewise(bad.arguments);
    EXPECT_EQ(result.code, bad.code) << result.errors;
    EXPECT_EQ(result.output, "");
    for (const std::string& part : bad.said) EXPECT_THAT(result.errors, HasSubstr(part));
    EXPECT_EQ(listing(folder_->path()), before);
  }
};

std::vector<std::string> fit_on(const char* data) {
  return {"fit", "people.toml", "--data.train", data, "--output", "new.model"};
}

TEST_F(ErrorsTest, CommandsAtFaultEndWithTwoAndASuggestion) {
  const std::vector<BadInput> all{
      {"no verb", {}, 2, {"verb"}},
      {"unknown verb", {"fitt"}, 2, {"fitt", "Did you mean \"fit\"?"}},
      {"unknown option", {"fit", "people.toml", "--quite"}, 2, {"--quite", "--quiet"}},
      {"unknown option of the program", {"--versoin"}, 2, {"--versoin"}},
      {"bad number", {"fit", "people.toml", "--threads", "many"}, 2, {"threads"}},
      {"missing argument", {"evaluate"}, 2, {"model"}},
      {"missing value", {"fit", "people.toml", "--model.experts"}, 2, {"--model.experts", "value"}},
      {"unknown table",
       {"fit", "people.toml", "--modle.experts", "3"},
       2,
       {"modle", "Did you mean \"model\"?"}},
      {"unknown field", {"fit", "people.toml", "--model.expertz", "3"}, 2, {"expertz", "experts"}},
      {"unknown deep field",
       {"fit", "people.toml", "--training.stop.pacience", "3"},
       2,
       {"training.stop", "patience"}},
      {"unknown field of an expert",
       {"fit", "people.toml", "--model.expert.unit", "[3]"},
       2,
       {"unit", "units"}},
      {"unknown architecture", {"fit", "people.toml", "--model.type", "mmoee"}, 2, {"mmoee", "mmoe"}},
      {"unknown metric", {"fit", "people.toml", "--evaluation.metrics", "[\"acu\"]"}, 2, {"acu", "auc"}},
      {"a metric that fits no task",
       {"fit", "train.csv", "--labels", "clicked", "--evaluation.metrics", "[\"auc\", \"rmse\"]"},
       2,
       {"evaluation.metrics", "rmse"}},
      {"a metric to stop by that fits no task",
       {"fit", "train.csv", "--labels", "clicked", "--training.stop.metric", "mae"},
       2,
       {"training.stop.metric", "mae"}},
      {"a task to stop by that no policy asks for",
       {"fit", "people.toml", "--training.stop.task", "clicked"},
       2,
       {"training.stop.task", "policy"}},
      {"weights of no task",
       {"fit", "train.csv", "--labels", "clicked", "--tasks.clicked.weight", "0"},
       2,
       {"tasks.clicked.weight", "above 0"}},
      {"unknown loss", {"fit", "people.toml", "--tasks.clicked.loss", "hinge"}, 2, {"hinge"}},
      {"value out of range", {"fit", "people.toml", "--training.epochs", "0"}, 2, {"training.epochs", "1"}},
      {"value of the wrong type",
       {"fit", "people.toml", "--training.epochs", "few"},
       2,
       {"training.epochs", "integer"}},
      {"field of a value", {"fit", "people.toml", "--data.trim.x", "1"}, 2, {"data.trim"}},
      {"a split of another kind",
       {"fit", "people.toml", "--split.kind", "files"},
       2,
       {"split.", "only a split of kind", "got kind = \"files\""}},
      {"no data", {"fit"}, 2, {"no data"}},
      {"labels beside a configuration", {"fit", "people.toml", "--labels", "clicked"}, 2, {"--labels"}},
      {"broken TOML", {"fit", "syntax.toml"}, 2, {"syntax.toml:1"}},
      {"missing configuration", {"fit", "none.toml"}, 2, {"none.toml"}},
      {"a table that evaluate has no use for",
       {"evaluate", "people.model", "test.csv", "--model.x", "1"},
       2,
       {"model"}},
      {"unknown name", {"describe", "mmeo"}, 2, {"mmeo", "mmoe"}},
      {"unknown kind of table",
       {"synth", "related_task", "--rows", "5", "--output", "x.csv"},
       2,
       {"related_tasks"}},
      {"unknown option of a kind",
       {"synth", "related_tasks", "--corelation", "0.5", "--rows", "5", "--output", "x.csv"},
       2,
       {"corelation", "correlation"}},
      {"no rows to make", {"synth", "related_tasks", "--rows", "0", "--output", "x.csv"}, 2, {"--rows"}},
  };
  for (const BadInput& bad : all) check(bad);
}

TEST_F(ErrorsTest, DataAtFaultEndsWithOneAndItsPlace) {
  const std::vector<BadInput> all{
      {"a model larger than any memory",
       {"fit", "people.toml", "--model.experts", "4096", "--model.expert.units", "[65536, 65536]"},
       1,
       {"too large", "GiB of memory", "/layer_1/weight"}},
      {"missing file", fit_on("none.csv"), 1, {"none.csv"}},
      {"empty file", fit_on("empty.csv"), 1, {"empty.csv"}},
      {"no rows", fit_on("header.csv"), 1, {"header.csv"}},
      {"too few fields", fit_on("narrow.csv"), 1, {"narrow.csv:42"}},
      {"a word for a number", fit_on("word.csv"), 1, {"word.csv:42", "age", "abc"}},
      {"infinity", fit_on("infinite.csv"), 1, {"infinite.csv:42", "age", "inf"}},
      {"a label out of range", fit_on("label.csv"), 1, {"label.csv:42", "clicked", "2"}},
      {"a missing column", fit_on("no_age.csv"), 1, {"no_age.csv", "age"}},
      {"no label at all", fit_on("no_label.csv"), 1, {"clicked"}},
      {"one class only", fit_on("one_class.csv"), 1, {"clicked"}},
      {"folder of the output missing", {"fit", "people.toml", "--output", "none/new.model"}, 1, {"none"}},
      {"output that is no model", {"fit", "people.toml", "--output", "folder"}, 1, {"folder"}},
      {"output that is a file", {"fit", "people.toml", "--output", "not_a_model"}, 1, {"not_a_model"}},
      {"no such model", {"evaluate", "none.model", "test.csv"}, 1, {"none.model"}},
      {"a model that is a file", {"evaluate", "not_a_model", "test.csv"}, 1, {"not_a_model"}},
      {"a flipped bit", {"evaluate", "flipped.model", "test.csv"}, 1, {"flipped.model/weights.safetensors"}},
      {"a file cut short", {"predict", "short.model", "test.csv"}, 1, {"short.model/weights.safetensors"}},
      {"a file that is missing", {"describe", "missing.model"}, 1, {"missing.model/graph.json"}},
      {"a model of the future", {"evaluate", "future.model", "test.csv"}, 1, {"future.model", "99"}},
      {"a model to start from that is broken",
       {"fit", "people.toml", "--from", "flipped.model"},
       1,
       {"flipped.model"}},
      {"nothing to evaluate", {"evaluate", "people.model", "header.csv"}, 1, {"header.csv"}},
      {"a missing column to predict from", {"predict", "people.model", "no_age.csv"}, 1, {"age"}},
      {"predictions to a missing folder",
       {"predict", "people.model", "test.csv", "--output", "none/p.csv"},
       1,
       {"none/p.csv"}},
      {"rows to a missing folder",
       {"synth", "related_tasks", "--rows", "5", "--output", "none/x.csv"},
       1,
       {"none/x.csv"}},
  };
  for (const BadInput& bad : all) check(bad);
}

TEST_F(ErrorsTest, EvaluationOfOneClassIsUndefinedAndNoError) {
  const Result table = gatewise({"evaluate", "people.model", "one_class.csv"});
  ASSERT_EQ(table.code, 0) << table.errors;
  EXPECT_THAT(table.output, HasSubstr("undefined ("));
  const Result json = gatewise({"evaluate", "people.model", "one_class.csv", "--json"});
  EXPECT_TRUE(Json::parse(json.output)["tasks"]["clicked"]["auc"]["value"].is_null());
}

TEST_F(ErrorsTest, ARunWhoseLossExplodesSaysSoAndLeavesTheModelThatWasThere) {
  const std::string weights = read_text(file("people.model/weights.safetensors"));
  const Result result = gatewise({"fit", "people.toml", "--training.optimiser.kind", "sgd",
                                  "--training.optimiser.rate", "1e30", "--output", "people.model"});
  EXPECT_EQ(result.code, 1) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("not finite"));
  EXPECT_TRUE(read_text(file("people.model/weights.safetensors")) == weights);
}

TEST_F(ErrorsTest, AFullDiskForStandardOutputIsAnError) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "there is no /dev/full here";
  const Result result = run({"predict", "people.model", "test.csv"}, {folder_->path(), {}, "/dev/full"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.errors, HasSubstr("standard output"));
}

TEST_F(ErrorsTest, AFileThatMayNotGrowLeavesNothingBehind) {
  const std::vector<std::string> before = listing(folder_->path());
  const Result scores =
      run({"predict", "people.model", "test.csv", "--output", "p.csv"}, {folder_->path(), {}, "", 2000});
  EXPECT_EQ(scores.code, 1);
  EXPECT_THAT(scores.errors, HasSubstr("p.csv"));
  const Result model = run({"fit", "people.toml", "--output", "big.model"}, {folder_->path(), {}, "", 2000});
  EXPECT_EQ(model.code, 1);
  EXPECT_THAT(model.errors, HasSubstr("big.model"));
  EXPECT_EQ(listing(folder_->path()), before);
}

TEST_F(ErrorsTest, AFullDiskLeavesNothingHalfWrittenAndLosesNothing) {
  const std::string disk = file("disk");
  std::filesystem::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=40k") != 0) {
    std::filesystem::remove(disk);
    GTEST_SKIP() << "a small disk cannot be mounted here";
  }
  write_text(disk + "/p.csv", "what was there\n");
  const Result scores = gatewise({"predict", "people.model", "train.csv", "--output", "disk/p.csv"});
  const std::vector<std::string> after_scores = listing(disk);
  const Result model = gatewise({"fit", "people.toml", "--output", "disk/big.model"});
  const std::vector<std::string> after_model = listing(disk);
  const std::string kept = read_text(disk + "/p.csv");
  umount(disk.c_str());
  std::filesystem::remove(disk);
  EXPECT_EQ(scores.code, 1);
  EXPECT_THAT(scores.errors, AllOf(HasSubstr("disk/p.csv"), HasSubstr("No space left")));
  EXPECT_THAT(after_scores, ElementsAre("/p.csv 15"));
  EXPECT_EQ(kept, "what was there\n");
  // The model did not fit, but what was learnt is not lost.
  EXPECT_EQ(model.code, 1);
  EXPECT_THAT(model.errors, AllOf(HasSubstr("No space left"), HasSubstr("--resume")));
  EXPECT_THAT(after_model, ElementsAre(StartsWith("/big.model.checkpoint "), "/p.csv 15"));
}

}  // namespace
}  // namespace gatewise

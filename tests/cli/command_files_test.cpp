// No output takes the place of an input, of another output or of a part of a model, whatever the verb.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/cli/people_fixture.h"

namespace gatewise {
namespace {

using ::testing::HasSubstr;

class CommandFilesTest : public PeopleTest {
 protected:
  // Runs the command, which must be refused with this code and words, and leave every file as it was.
  static void expect_refusal(const std::vector<std::string>& arguments, int code, const std::string& words) {
    const std::vector<std::string> before = listing(folder_->path());
    const Result result = gatewise(arguments);
    const std::string command = ::testing::PrintToString(arguments);
    EXPECT_EQ(result.code, code) << command << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(words)) << command;
    EXPECT_EQ(result.output, "") << command;
    EXPECT_EQ(listing(folder_->path()), before) << command;
  }
};

TEST_F(CommandFilesTest, OutputsAreNoInputs) {
  write_text(file("other.csv"), "clicked\n0.5\n");
  std::filesystem::create_symlink("train.csv", file("alias.csv"));
  std::filesystem::create_hard_link(file("test.csv"), file("twin.csv"));
  const std::vector<std::vector<std::string>> commands{
      {"fit", "people.toml", "--output", "new.model", "--report", "people.toml"},
      {"fit", "people.toml", "--output", "new.model", "--report", "./train.csv"},
      {"fit", "people.toml", "--output", "new.model", "--report", "alias.csv"},
      {"fit", "people.toml", "--output", "new.model", "--report", "twin.csv"},
      {"fit", "people.toml", "--output", "new.model", "--data.train", "tr*.csv", "--report", "train.csv"},
      {"compare", "people.toml", "--csv", "people.toml"},
      {"compare", "people.toml", "--report", "test.csv"},
      {"compare", "people.toml", "--external", "other=other.csv", "--csv", "other.csv"},
      {"compare", "people.toml", "--journal", "people.toml"},
      {"tune", "people.toml", "--output", "people.toml"},
      {"tune", "people.toml", "--report", "test.csv"},
      {"diagnose", "people.model", "test.csv", "--suggest", "test.csv"},
      {"diagnose", "people.model", "test.csv", "--report", "train.csv"},
      {"predict", "people.model", "test.csv", "--output", "test.csv"}};
  for (const std::vector<std::string>& command : commands)
    expect_refusal(command, 2, "which this command reads");
}

TEST_F(CommandFilesTest, OutputsDiffer) {
  const std::vector<std::vector<std::string>> commands{
      {"fit", "people.toml", "--output", "new.model", "--report", "new.model"},
      {"fit", "people.toml", "--output", "new.model", "--report", "new.model.checkpoint"},
      {"compare", "people.toml", "--csv", "people.journal"},
      {"compare", "people.toml", "--csv", "same", "--report", "./same"},
      {"tune", "people.toml", "--output", "people.tune.journal"},
      {"tune", "people.toml", "--output", "same", "--report", "same"},
      {"diagnose", "people.model", "test.csv", "--suggest", "same", "--report", "same"},
      {"synth", "clusters", "--rows", "5", "--output", "same", "--truth", "same"}};
  for (const std::vector<std::string>& command : commands) expect_refusal(command, 2, "is also that of");
  expect_refusal({"fit", "people.toml", "--output", "new.model", "--report", "new.model/page.html"}, 2,
                 "lies in new.model of --output");
}

TEST_F(CommandFilesTest, OutputsAreNoPartsOfModels) {
  const std::vector<std::vector<std::string>> commands{
      {"compare", "people.toml", "--csv", "people.model/values.csv"},
      {"tune", "people.toml", "--output", "people.model/model.toml"},
      {"diagnose", "people.model", "test.csv", "--suggest", "people.model/model.toml"},
      {"predict", "people.model", "test.csv", "--output", "people.model/vocabularies/0.csv"},
      {"export", "people.model", "--onnx", "people.model/weights.safetensors"},
      {"synth", "clusters", "--rows", "5", "--output", "people.model/graph.json"},
      {"serve", "people.model", "--port", "0", "--access-log", "people.model/graph.json"}};
  for (const std::vector<std::string>& command : commands) expect_refusal(command, 2, "people.model");
}

TEST_F(CommandFilesTest, PlacesThatCannotBeWrittenAreFoundBeforeTheWork) {
  const std::vector<std::vector<std::string>> commands{{"compare", "people.toml", "--csv"},
                                                       {"tune", "people.toml", "--output"},
                                                       {"diagnose", "people.model", "test.csv", "--suggest"},
                                                       {"predict", "people.model", "test.csv", "--output"},
                                                       {"export", "people.model", "--onnx"},
                                                       {"synth", "clusters", "--rows", "5", "--output"}};
  for (std::vector<std::string> command : commands) {
    command.emplace_back("missing/values");
    expect_refusal(command, 1, "missing does not exist");
    command.back() = ".";
    expect_refusal(command, 1, ". is a folder");
    command.back() = "/dev/null";
    expect_refusal(command, 1, "is a device or pipe");
  }
}

TEST_F(CommandFilesTest, ModelsCanTakeTheirOwnPlace) {
  std::filesystem::copy(file("people.model"), file("again.model"), std::filesystem::copy_options::recursive);
  const Result again = gatewise({"fit", "again.model/model.toml", "--training.epochs", "1", "--output",
                                 "again.model", "--report", "again.html"});
  EXPECT_EQ(again.code, 0) << again.errors;
  const Result further = gatewise({"fit", "train.csv", "--from", "again.model", "--training.epochs", "1",
                                   "--output", "again.model", "--report", "again.html"});
  EXPECT_EQ(further.code, 0) << further.errors;
}

TEST_F(CommandFilesTest, EveryVerbCanBeQuiet) {
  const Result predicted =
      gatewise({"predict", "people.model", "test.csv", "--output", "quiet.csv", "--quiet"});
  EXPECT_EQ(predicted.code, 0);
  EXPECT_EQ(predicted.errors, "");
  for (const char* verb : {"fit", "compare", "tune", "diagnose", "evaluate", "export", "synth"})
    EXPECT_THAT(gatewise({verb, "--help"}).output, HasSubstr("the result, warnings and errors")) << verb;
}

}  // namespace
}  // namespace gatewise

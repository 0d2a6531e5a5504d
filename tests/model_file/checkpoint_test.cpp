#include "model_file/checkpoint.h"

#include <unistd.h>

#include "tests/model_file/models.h"

namespace gatewise {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class Checkpoints : public testing::Test {
 protected:
  std::string path() const { return folder_.file("run.checkpoint"); }
  std::string fault() const {
    try {
      load_checkpoint(path());
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::Data) << error.what();
      return error.what();
    }
    return "";
  }
  Folder folder_;
};

TEST_F(Checkpoints, StateAndTensorsComeBackToTheBit) {
  const double infinite = std::numeric_limits<double>::infinity();
  Json state = Json::parse(
      R"({"step": 12, "text": "é \"x\" \u0000", "list": [1, -2, 0.1, true, null], "z": {}, "a": []})");
  state["seed"] = std::numeric_limits<uint64_t>::max();
  state["low"] = std::numeric_limits<int64_t>::min();
  state["best"] = -infinite;
  state["loss"] = std::nan("");
  state["third"] = 1.0 / 3;
  const float weights[] = {1, 2, 3};
  const double moments[] = {4};
  write_checkpoint(path(), {state, {{"weights", "F32", {3}, weights}, {"moments", "F64", {1, 1}, moments}}});
  const LoadedCheckpoint loaded = load_checkpoint(path());
  EXPECT_TRUE(std::isnan(loaded.state["loss"].get<double>()));
  Json finite = loaded.state;
  finite["loss"] = state["loss"] = 0;
  EXPECT_EQ(finite, state);
  EXPECT_EQ(finite.dump(), state.dump());
  EXPECT_EQ(loaded.state["best"], -infinite);
  EXPECT_THAT(loaded.tensors.get<float>("weights", {3}), ElementsAre(1, 2, 3));
  EXPECT_THAT(loaded.tensors.get<double>("moments", {1, 1}), ElementsAre(4));
}

TEST_F(Checkpoints, TheSameStateGivesTheSameBytes) {
  const float weights[] = {1, 2, 3};
  const Checkpoint checkpoint{Json{{"step", 1}}, {{"weights", "F32", {3}, weights}}};
  write_checkpoint(path(), checkpoint);
  const std::string first = content_of(path());
  write_checkpoint(path(), checkpoint);
  EXPECT_EQ(content_of(path()), first);
}

TEST_F(Checkpoints, ALoadedOneOutlivesItsReplacement) {
  const float first[] = {1}, second[] = {2};
  write_checkpoint(path(), {Json{{"step", 1}}, {{"weights", "F32", {1}, first}}});
  const LoadedCheckpoint loaded = load_checkpoint(path());
  write_checkpoint(path(), {Json{{"step", 2}}, {{"weights", "F32", {1}, second}}});
  EXPECT_THAT(loaded.tensors.get<float>("weights", {1}), ElementsAre(1));
  EXPECT_THAT(load_checkpoint(path()).tensors.get<float>("weights", {1}), ElementsAre(2));
}

TEST_F(Checkpoints, EveryFlippedBitAndEveryTruncationIsFound) {
  const float weights[] = {1, 2, 3};
  write_checkpoint(path(), {Json{{"step", 1}}, {{"weights", "F32", {3}, weights}}});
  const std::string content = content_of(path());
  for (size_t position = 0; position < content.size(); ++position) {
    std::string flipped = content;
    flipped[position] = static_cast<char>(flipped[position] ^ (1 << position % 8));
    write_over(path(), flipped);
    EXPECT_THAT(fault(), AllOf(StartsWith(path() + ": "), HasSubstr("delete it to start over"))) << position;
    write_over(path(), content.substr(0, position));
    EXPECT_THAT(fault(), AllOf(StartsWith(path() + ": "), HasSubstr("delete it to start over"))) << position;
  }
  write_over(path(), content);
  EXPECT_EQ(fault(), "");
}

TEST_F(Checkpoints, OtherFilesAndNewerFormatsAreRefused) {
  EXPECT_THAT(fault(), HasSubstr("No such file"));
  const uint8_t state[] = {0xa0};
  const NamedTensor tensor{"state", "U8", {1}, state};
  write_tensors(path(), {&tensor, 1}, {{"format", "gatewise_checkpoint"}, {"version", "1"}});
  EXPECT_THAT(fault(), HasSubstr("is no checkpoint"));
  write_sealed_tensors(path(), {&tensor, 1}, {{"format", "other"}, {"version", "1"}});
  EXPECT_THAT(fault(), HasSubstr("is no checkpoint"));
  write_sealed_tensors(path(), {&tensor, 1}, {{"format", "gatewise_checkpoint"}, {"version", "2"}});
  EXPECT_THAT(fault(), HasSubstr("has format 2"));
  write_sealed_tensors(path(), {&tensor, 1}, {{"format", "gatewise_checkpoint"}, {"version", "1"}});
  EXPECT_EQ(load_checkpoint(path()).state, Json::object());
}

TEST_F(Checkpoints, AKilledWriteLeavesAWholeOne) {
  const std::vector<float> first(300000, 1), second(300000, 2);
  const auto write = [&](const std::vector<float>& values, int step) {
    write_checkpoint(path(), {Json{{"step", step}}, {{"x", "F32", {300000}, values.data()}}});
  };
  write(first, 1);
  for (int round = 0; round < 10; ++round) {
    run_and_kill(
        [&] {
          write(second, 2);
          write(first, 1);
        },
        3000 + 1700 * round);
    const LoadedCheckpoint loaded = load_checkpoint(path());
    EXPECT_EQ(loaded.tensors.get<float>("x", {300000})[299999], loaded.state["step"].get<float>());
  }
}

}  // namespace
}  // namespace gatewise

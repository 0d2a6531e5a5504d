// A fit that is killed at any moment goes on to the same bits.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/random.h"
#include "tests/cli/people_fixture.h"

namespace gatewise {
namespace {

using ResumeTest = PeopleTest;

using Moment = std::filesystem::file_time_type;

Moment last_change(const std::string& path) {
  std::error_code missing;
  const Moment moment = std::filesystem::last_write_time(path, missing);
  return missing ? Moment::min() : moment;
}

// Lets the run go on until it has written a checkpoint of its own, and then for another while. Returns
// whether it was still running when it was killed.
bool kill_in_the_middle(Process& process, const std::string& checkpoint, std::chrono::microseconds further) {
  const Moment before = last_change(checkpoint);
  while (process.is_running() && last_change(checkpoint) <= before)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(further);
  process.send(SIGKILL);
  return process.wait().code == -SIGKILL;
}

TEST_F(ResumeTest, AfterKillsAtRandomMomentsTheBitsAreThoseOfAnUninterruptedRun) {
  const int wanted = std::getenv("GATEWISE_LONG_TESTS") != nullptr ? 20 : 3;
  // A checkpoint after every step, so that many kills fall into the writing of one.
  const auto fit = [&](const char* output) {
    return std::vector<std::string>{"fit",
                                    "people.toml",
                                    "--quiet",
                                    "--output",
                                    output,
                                    "--training.epochs",
                                    std::to_string(4 * wanted),
                                    "--training.stop.patience",
                                    "0",
                                    "--training.checkpoint_seconds",
                                    "0"};
  };
  const auto start = std::chrono::steady_clock::now();
  const Result whole = gatewise(fit("whole.model"));
  const std::chrono::duration<double, std::micro> duration = std::chrono::steady_clock::now() - start;
  ASSERT_EQ(whole.code, 0) << whole.errors;

  std::vector<std::string> cut = fit("cut.model");
  cut.push_back("--resume");
  const RandomStream random(7, "kills");
  int kills = 0;
  for (int kill = 0; kill < wanted; ++kill) {
    Process process(cut, {folder_->path()});
    const double share = random.uniform(0, static_cast<uint64_t>(kill), 0) / (2.0 * wanted);
    const std::chrono::microseconds further(static_cast<int64_t>(share * duration.count()));
    if (!kill_in_the_middle(process, file("cut.model.checkpoint"), further)) break;
    ++kills;
  }
  if (kills == 0) GTEST_SKIP() << "the run ended before it could be killed";
  const Result resumed = gatewise(cut);
  ASSERT_EQ(resumed.code, 0) << resumed.errors;
  EXPECT_TRUE(read_text(file("cut.model/weights.safetensors")) ==
              read_text(file("whole.model/weights.safetensors")));
  EXPECT_TRUE(read_text(file("cut.model/metrics.json")) == read_text(file("whole.model/metrics.json")));
  EXPECT_EQ(resumed.output, whole.output);
  RecordProperty("kills", kills);
}

}  // namespace
}  // namespace gatewise

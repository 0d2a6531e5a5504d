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

TEST_F(ResumeTest, AfterKillsAtRandomMomentsTheBitsAreThoseOfAnUninterruptedRun) {
  const int kills = std::getenv("GATEWISE_LONG_TESTS") != nullptr ? 20 : 3;
  // A checkpoint after every step, so that many kills fall into the writing of one.
  const auto fit = [](const char* output) {
    return std::vector<std::string>{"fit",     "people.toml",
                                    "--quiet", "--output",
                                    output,    "--training.epochs",
                                    "12",      "--training.stop.patience",
                                    "0",       "--training.checkpoint_seconds",
                                    "0"};
  };
  const auto start = std::chrono::steady_clock::now();
  const Result whole = gatewise(fit("whole.model"));
  const auto duration = std::chrono::steady_clock::now() - start;
  ASSERT_EQ(whole.code, 0) << whole.errors;

  std::vector<std::string> cut = fit("cut.model");
  cut.push_back("--resume");
  const RandomStream random(7, "kills");
  for (int kill = 0; kill < kills; ++kill) {
    Process process(cut, {folder_->path()});
    std::this_thread::sleep_for(duration * (0.1 + 0.6 * random.uniform(0, static_cast<uint64_t>(kill), 0)));
    process.send(SIGKILL);
    process.wait();
    // What is there is whole: a model that loads, or none.
    if (std::filesystem::exists(file("cut.model"))) {
      ASSERT_EQ(gatewise({"describe", "cut.model"}).code, 0);
    }
  }
  const Result resumed = gatewise(cut);
  ASSERT_EQ(resumed.code, 0) << resumed.errors;
  EXPECT_TRUE(read_text(file("cut.model/weights.safetensors")) ==
              read_text(file("whole.model/weights.safetensors")));
  EXPECT_EQ(read_text(file("cut.model/metrics.json")), read_text(file("whole.model/metrics.json")));
  EXPECT_EQ(resumed.output, whole.output);
}

}  // namespace
}  // namespace gatewise

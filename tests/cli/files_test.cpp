// What the program leaves on the disk when it is stopped, when there is no room, or when two of it write the
// same; and files with names or parts that do not go together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>

#include "tests/cli/program.h"

namespace gatewise {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class FilesTest : public testing::Test {
 protected:
  Result gatewise(const std::vector<std::string>& arguments) { return run(arguments, {folder_.path()}); }
  std::string file(const std::string& name) const { return folder_.file(name); }
  void write_people() const {
    write_text(file("train.csv"), people_csv(300, 1));
    write_text(file("test.csv"), people_csv(100, 2));
    write_text(file("people.toml"), people_toml());
  }
  // Whether it appears before the program ends; a program that never comes to it must not hang the test.
  bool await(Process& process, const std::function<bool()>& is_there) const {
    const auto start = std::chrono::steady_clock::now();
    const auto is_late = [&] { return std::chrono::steady_clock::now() - start > std::chrono::minutes(1); };
    while (process.is_running() && !is_there() && !is_late())
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return is_there();
  }

  TemporaryFolder folder_;
};

TEST_F(FilesTest, ASignalWhileATableIsWrittenLeavesNothing) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Process process({"synth", "behaviour_log", "--rows", "2000000000", "--output", "big.csv"},
                    {folder_.path()});
    ASSERT_TRUE(await(process, [&] { return !fs::is_empty(folder_.path()); }));
    process.send(signal);
    const Result result = process.wait();
    EXPECT_EQ(result.code, 130) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr("big.csv: interrupted before it was whole"));
    EXPECT_THAT(listing(folder_.path()), IsEmpty());
  }
}

TEST_F(FilesTest, ALimitOfTheSizeOfFilesIsAnErrorThatLeavesNothing) {
  RunOptions options{folder_.path()};
  options.largest_file = 10000;
  const Result result = run({"synth", "behaviour_log", "--rows", "20000", "--output", "big.csv"}, options);
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.errors,
              AllOf(HasSubstr("big.csv"), HasSubstr("File too large"), HasSubstr("ulimit -f")));
  EXPECT_THAT(listing(folder_.path()), IsEmpty());
}

TEST_F(FilesTest, OnlyOneFitWritesAModelAtATime) {
  write_people();
  ASSERT_EQ(mkfifo(file("slow.csv").c_str(), 0600), 0);
  const std::vector<std::string> held{"fit",      "people.toml", "--data.train",
                                      "slow.csv", "--output",    "m.model"};
  const std::vector<std::string> other{"fit", "people.toml", "--output", "m.model", "--training.epochs", "1"};
  {
    Process first(held, {folder_.path()});  // waits for rows
    ASSERT_TRUE(await(first, [&] { return fs::exists(file("m.model.lock")); }));
    const Result second = gatewise(other);
    EXPECT_EQ(second.code, 1);
    EXPECT_THAT(second.errors, HasSubstr("m.model.lock: another fit is writing m.model"));
    first.send(SIGTERM);
    EXPECT_EQ(first.wait().code, -SIGTERM);
    EXPECT_FALSE(fs::exists(file("m.model.lock")));
  }
  {
    Process killed(held, {folder_.path()});
    ASSERT_TRUE(await(killed, [&] { return fs::exists(file("m.model.lock")); }));
    killed.send(SIGKILL);
    killed.wait();
  }
  const Result third = gatewise(other);
  EXPECT_EQ(third.code, 0) << third.errors;
  EXPECT_FALSE(fs::exists(file("m.model.lock")));
}

TEST_F(FilesTest, WhatAModelCouldNotNameIsRefusedBeforeTraining) {
  write_people();
  fs::copy(file("train.csv"), file("caf\xe9.csv"));
  const Result data = gatewise({"fit", "caf\xe9.csv", "--labels", "clicked", "--output", "m.model"});
  EXPECT_EQ(data.code, 2);
  EXPECT_THAT(data.errors, AllOf(HasSubstr("caf\\xe9.csv: the file's name is not valid UTF-8"),
                                 Not(HasSubstr("training rows"))));
  const Result model = gatewise({"fit", "people.toml", "--output", "caf\xe9.model"});
  EXPECT_EQ(model.code, 2);
  EXPECT_THAT(model.errors, AllOf(HasSubstr("--output: the path caf\\xe9.model is not valid UTF-8"),
                                  Not(HasSubstr("training rows"))));
}

TEST_F(FilesTest, AFileOfTwoPartsIsWarnedOf) {
  write_people();
  fs::create_symlink("train.csv", file("link.csv"));
  const Result fitted = gatewise({"fit", "people.toml", "--data.test", "link.csv", "--training.epochs", "1"});
  EXPECT_EQ(fitted.code, 0) << fitted.errors;
  EXPECT_THAT(fitted.errors, HasSubstr("warning: data: link.csv is a file of train and of test"));
}

}  // namespace
}  // namespace gatewise

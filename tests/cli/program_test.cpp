// The helpers of program.h; a file of tests by its name, so that it is compiled with them.
#include "tests/cli/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "base/random.h"

namespace gatewise {
namespace {

void redirect(const std::string& path, int descriptor) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0 || dup2(file, descriptor) < 0) _exit(127);
}

[[noreturn]] void become_program(const std::vector<std::string>& arguments, const RunOptions& options,
                                 const std::string& output, const std::string& errors) {
  redirect(output, STDOUT_FILENO);
  redirect(errors, STDERR_FILENO);
  signal(SIGINT, SIG_DFL);  // which a shell ignores for what it starts in the background
  if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) _exit(127);
  for (const std::string& setting : options.environment) putenv(strdup(setting.c_str()));
  if (options.largest_file > 0) {
    const auto bytes = static_cast<rlim_t>(options.largest_file);
    const rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  const std::string program = GATEWISE_BINARY_DIR "/gatewise";
  std::vector<char*> values{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) values.push_back(const_cast<char*>(argument.c_str()));
  values.push_back(nullptr);
  execv(program.c_str(), values.data());
  _exit(127);
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const RunOptions& options) {
  output_path_ = options.output_file.empty() ? captured_.file("output") : options.output_file;
  id_ = fork();
  if (id_ == 0) become_program(arguments, options, output_path_, captured_.file("errors"));
  if (id_ < 0) throw std::runtime_error("fork failed");
}

Process::~Process() {
  if (!has_ended_) {
    send(SIGKILL);
    waitpid(id_, &status_, 0);
  }
}

bool Process::is_running() {
  if (!has_ended_) has_ended_ = waitpid(id_, &status_, WNOHANG) == id_;
  return !has_ended_;
}

void Process::send(int signal) const { kill(id_, signal); }

std::string Process::errors_so_far() const { return read_text(captured_.file("errors")); }

Result Process::wait() {
  if (!has_ended_) waitpid(id_, &status_, 0);
  has_ended_ = true;
  Result result;
  result.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
  const std::string captured_output = captured_.file("output");
  if (output_path_ == captured_output) result.output = read_text(captured_output);
  result.errors = read_text(captured_.file("errors"));
  return result;
}

Result run(const std::vector<std::string>& arguments, const RunOptions& options) {
  return Process(arguments, options).wait();
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::vector<std::string> listing(const std::string& folder) {
  std::vector<std::string> entries;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const auto size = entry.is_regular_file() ? entry.file_size() : 0;
    entries.push_back(fmt::format("{} {}", entry.path().string().substr(folder.size()), size));
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::string people_csv(int64_t rows, uint64_t seed) {
  static constexpr const char* cities[] = {"Bern", "Lima", "Oslo", "Rome"};
  const RandomStream random(seed, "people");
  std::string text = "age,height,city,clicked,bought,spent\n";
  for (uint64_t row = 0; row < static_cast<uint64_t>(rows); ++row) {
    const double age = 20 + 50 * random.uniform(0, row, 0);
    const double height = 170 + 10 * random.normal(0, row, 1);
    const uint64_t city = random.below(4, 0, row, 2);
    const double taste = (age - 45) / 15 + (city == 1 ? 1.5 : -0.5);
    const bool clicked = random.uniform(0, row, 3) < 1 / (1 + std::exp(-taste));
    const bool bought = random.uniform(0, row, 4) < 1 / (1 + std::exp(1 - taste - (height - 170) / 10));
    const double spent = 10 + 3 * taste + random.normal(0, row, 5);
    fmt::format_to(std::back_inserter(text), "{:.2f},{:.1f},{},{},{},{:.3f}\n", age, height, cities[city],
                   clicked ? 1 : 0, bought ? 1 : 0, spent);
  }
  return text;
}

std::string people_toml() {
  return R"([data]
train = "train.csv"
test = "test.csv"

[split]
kind = "fraction"
of = "train"
fractions = { train = 0.8, validation = 0.2 }

[columns]
default = "ignore"
age = "numeric"
height = "numeric"
city = "categorical"

[tasks.clicked]
kind = "binary"

[tasks.bought]
kind = "binary"

[tasks.spent]
kind = "regression"
transform = "standardise"

[model]
type = "mmoe"
experts = 2
expert = { units = [8] }
tower = { units = [4] }

[training]
epochs = 4
batch_rows = 64

[training.optimiser]
rate = 0.01

[evaluation]
resamples = 20
)";
}

TEST(TestProgram, RunsAndReportsItsVersion) {
  const Result result = run({"--version"}, {});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.output.rfind("gatewise ", 0), 0u);
  EXPECT_EQ(result.errors, "");
}

}  // namespace gatewise

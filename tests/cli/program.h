// Runs the real program in a folder of its own.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "tests/base/temporary_folder.h"

namespace gatewise {

struct Result {
  int code = -1;       // exit code; negative: ended by that signal
  std::string output;  // standard output
  std::string errors;  // standard error
};

struct RunOptions {
  std::string folder{};
  std::vector<std::string> environment{};  // "NAME=value", added to this process' own
  std::string output_file{};               // where standard output goes instead
  int64_t largest_file = 0;                // bytes that a file may have; 0: no limit
};

// A program that was started.
class Process {
 public:
  Process(const std::vector<std::string>& arguments, const RunOptions& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  bool is_running();
  void send(int signal) const;
  // Standard error until now.
  std::string errors_so_far() const;
  // Waits for the end.
  Result wait();

 private:
  int id_ = -1;
  bool has_ended_ = false;
  int status_ = 0;
  TemporaryFolder captured_;  // the captured streams
  std::string output_path_;
};

Result run(const std::vector<std::string>& arguments, const RunOptions& options);

std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);
// Every path below the folder with its size, sorted.
std::vector<std::string> listing(const std::string& folder);

// A table of `rows` people: age, height, city (text); clicked and bought (0 or 1, from the features with
// noise), spent (a number). The same seed gives the same rows.
std::string people_csv(int64_t rows, uint64_t seed);
// A configuration for it, trained for a moment.
std::string people_toml();

}  // namespace gatewise

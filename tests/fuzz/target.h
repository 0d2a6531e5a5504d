// What faces the outside, as functions of arbitrary bytes: a target is one file <name>_target.cpp that
// registers itself.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gatewise {

// An input is text or bytes; some targets take several parts, with a line "====" between them.
struct FuzzTarget {
  // Reads the input. Whatever is wrong with it is an Error(Data) or an Error(Command).
  std::function<void(std::string_view input)> run;
  // Inputs to start from, most of them good ones.
  std::function<std::vector<std::string>()> seeds;
  // What mutations put in: names that the format knows.
  std::function<std::vector<std::string>()> words = [] { return std::vector<std::string>(); };
  // How many mutations the test of every build tries.
  int mutations = 2000;
};

std::map<std::string, FuzzTarget>& fuzz_targets();

struct RegisterFuzzTarget {
  RegisterFuzzTarget(const std::string& name, FuzzTarget target) {
    fuzz_targets().emplace(name, std::move(target));
  }
};

// Something that no input may cause.
struct FuzzDefect : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Runs the target; returns the message by which it refused the input, or nothing. Throws FuzzDefect for any
// exception that is no Error, for an Error(Internal), and for a message that is empty or endless.
std::string run_fuzz_target(const FuzzTarget& target, std::string_view input);

// Throws FuzzDefect unless `condition` holds.
void fuzz_require(bool condition, const std::string& what);

std::vector<std::string> fuzz_parts(std::string_view input);
std::string join_fuzz_parts(const std::vector<std::string>& parts);

}  // namespace gatewise

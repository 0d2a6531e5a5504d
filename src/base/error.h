// Errors: exceptions inside the library, one line at the edge of the program.
#pragma once

#include <fmt/format.h>

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gatewise {

// Whose fault an error is. The command line exits with 1 for Data (a file or a model) and 2 for Command
// (arguments or configuration); Internal means a defect of Gatewise itself.
enum class Fault { Data, Command, Internal };

// The message follows one grammar: "where: what is wrong; got X, expected Y; what to do".
class Error : public std::runtime_error {
 public:
  Error(Fault fault, const std::string& message) : std::runtime_error(message), fault_(fault) {}
  Fault fault() const { return fault_; }

 private:
  Fault fault_;
};

template <class... Args>
[[noreturn]] void data_error(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(Fault::Data, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
[[noreturn]] void command_error(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(Fault::Command, fmt::format(format, std::forward<Args>(args)...));
}

// Reports a broken invariant of our own.
template <class... Args>
[[noreturn]] void internal_error(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(Fault::Internal, fmt::format(format, std::forward<Args>(args)...));
}

// The candidates most like `name` (by edit distance, at most three), nearest first; empty when none is close.
std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string> candidates);

// " Did you mean \"a\" or \"b\"?" or, when nothing is close, " Known: a, b, c."
std::string suggestion(std::string_view name, std::span<const std::string> candidates);

}  // namespace gatewise

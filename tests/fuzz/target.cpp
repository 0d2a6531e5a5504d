#include "tests/fuzz/target.h"

#include "base/error.h"

namespace gatewise {
namespace {

constexpr std::string_view separator = "\n====\n";
constexpr size_t longest_message = 2000;

}  // namespace

std::map<std::string, FuzzTarget>& fuzz_targets() {
  static std::map<std::string, FuzzTarget> targets;
  return targets;
}

std::string run_fuzz_target(const FuzzTarget& target, std::string_view input) {
  try {
    target.run(input);
  } catch (const FuzzDefect&) {
    throw;
  } catch (const Error& error) {
    const std::string message = error.what();
    if (error.fault() == Fault::Internal) throw FuzzDefect("an internal error: " + message);
    if (message.empty()) throw FuzzDefect("an error without a message");
    // It may quote what is wrong, but not more than there was.
    if (message.size() > longest_message + 2 * input.size())
      throw FuzzDefect(fmt::format("a message of {} bytes: {}", message.size(), message.substr(0, 200)));
    return message;
  } catch (const std::exception& exception) {
    throw FuzzDefect(fmt::format("{} instead of an Error: {}", typeid(exception).name(), exception.what()));
  }
  return "";
}

void fuzz_require(bool condition, const std::string& what) {
  if (!condition) throw FuzzDefect(what);
}

std::vector<std::string> fuzz_parts(std::string_view input) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = input.find(separator);
    parts.emplace_back(input.substr(0, end));
    if (end == std::string_view::npos) return parts;
    input.remove_prefix(end + separator.size());
  }
}

std::string join_fuzz_parts(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, separator));
}

}  // namespace gatewise

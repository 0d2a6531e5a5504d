// A request that gets an error for an answer: its status, and a text that names what is wrong.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace gatewise {

class Refusal : public std::runtime_error {
 public:
  Refusal(int status, const std::string& message)
      : std::runtime_error(message), message_(message), status_(status) {}
  int status() const { return status_; }
  // All of it; what() ends at a zero byte, which names that clients send may have.
  const std::string& message() const { return message_; }

 private:
  std::string message_;
  int status_;
};

template <class... Args>
[[noreturn]] void refuse(int status, fmt::format_string<Args...> format, Args&&... args) {
  throw Refusal(status, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace gatewise

#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/error.h"

namespace gatewise {

// The message of the Error that `action` throws; fails the test when it throws none.
inline std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

// The same of an Error that is the fault of `fault`.
inline std::string message_of(Fault fault, const std::function<void()>& action) {
  return message_of([&] {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), fault);
      throw;
    }
  });
}

}  // namespace gatewise

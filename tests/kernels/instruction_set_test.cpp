#include "kernels/instruction_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "kernels/optimisers.h"

namespace gatewise::kernels {
namespace {

TEST(InstructionSet, the_best_is_taken_and_baseline_is_always_there) {
  const std::vector<std::string> supported = instruction_sets();
  ASSERT_FALSE(supported.empty());
  EXPECT_EQ(supported.back(), "baseline");
  use_instruction_set("");
  EXPECT_EQ(instruction_set_name(), supported.front());
}

TEST(InstructionSet, a_lower_one_can_be_taken) {
  use_instruction_set("baseline");
  EXPECT_EQ(instruction_set_name(), "baseline");
  EXPECT_EQ(instruction_sets().back(), "baseline");
  use_instruction_set("");
}

TEST(InstructionSet, an_unknown_one_is_the_commands_fault) {
  try {
    use_instruction_set("mmx");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::Command);
    EXPECT_THAT(error.what(), testing::HasSubstr("got \"mmx\""));
    EXPECT_THAT(error.what(), testing::HasSubstr("baseline"));
  }
}

TEST(InstructionSet, one_that_the_machine_lacks_is_refused) {
  for (const std::string& name : known_instruction_sets()) {
    const std::vector<std::string> supported = instruction_sets();
    if (std::find(supported.begin(), supported.end(), name) == supported.end()) {
      EXPECT_THROW(use_instruction_set(name), Error);
    } else {
      EXPECT_NO_THROW(use_instruction_set(name));
    }
  }
  use_instruction_set("");
}

// The choice is made once in a process, at the first kernel: hence a process of its own for each.
void first_kernel_with(const char* forced, const char* expected) {
  setenv("GATEWISE_INSTRUCTION_SET", forced, 1);
  int code = 1;
  try {
    const float value = 2;
    if (squared_norm(1, &value) == 4 && instruction_set_name() == expected) code = 0;
  } catch (const Error& error) {
    code = error.fault() == Fault::Command && std::string(expected) == "an error" ? 0 : 1;
  }
  std::_Exit(code);
}

TEST(InstructionSetDeathTest, the_environment_decides_at_first_use) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(first_kernel_with("baseline", "baseline"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(first_kernel_with("mmx", "an error"), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace gatewise::kernels

#include "kernels/instruction_set.h"

#include <cstdlib>
#include <mutex>

#include "base/error.h"
#include "kernels/targets.h"

namespace gatewise::kernels {
namespace {

struct Level {
  const char* name;
  int64_t target;
};

// Best first.
constexpr Level levels[] = {
#if HWY_ARCH_X86
    {"avx512", HWY_AVX3},
    {"avx2", HWY_AVX2},
    {"sse4", HWY_SSE4},
#elif HWY_ARCH_ARM
    {"neon", HWY_NEON},
#endif
    {"baseline", HWY_BASELINE_SCALAR},
};

// What the machine has, whatever was forced.
int64_t machine_targets() {
  static const int64_t targets = (hwy::SetSupportedTargetsForTest(0), hwy::SupportedTargets());
  return (targets & HWY_TARGETS) | HWY_BASELINE_SCALAR;
}

void use_level(std::string_view name, std::string_view where) {
  const std::vector<std::string> supported = instruction_sets();
  if (name.empty()) name = supported.front();
  for (const Level& level : levels) {
    if (name != level.name) continue;
    if ((machine_targets() & level.target) == 0) {
      command_error(
          "{}: this machine does not support the instruction set \"{}\"; got {}, expected one of {}; take "
          "one "
          "of these or leave it unset",
          where, name, name, fmt::join(supported, ", "));
    }
    hwy::SetSupportedTargetsForTest(level.target);
    hwy::GetChosenTarget().Update(level.target);
    return;
  }
  command_error(
      "{}: unknown instruction set; got \"{}\", expected one of {}; take one of these or leave it unset",
      where, name, fmt::join(supported, ", "));
}

std::mutex& choice_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const Level& level : levels) {
    if (machine_targets() & level.target) names.emplace_back(level.name);
  }
  return names;
}

std::vector<std::string> known_instruction_sets() {
  std::vector<std::string> names;
  for (const Level& level : levels) names.emplace_back(level.name);
  return names;
}

void use_instruction_set(std::string_view name) {
  const std::lock_guard lock(choice_mutex());
  use_level(name, "instruction set");
}

void choose_instruction_set() {
  const std::lock_guard lock(choice_mutex());
  if (hwy::GetChosenTarget().IsInitialized()) return;
  const char* forced = std::getenv("GATEWISE_INSTRUCTION_SET");
  use_level(forced ? forced : "", "GATEWISE_INSTRUCTION_SET");
}

std::string instruction_set_name() {
  ensure_instruction_set();
  for (const Level& level : levels) {
    if (hwy::SupportedTargets() == level.target) return level.name;
  }
  internal_error(
      "instruction set: the chosen level is none of ours; got target bits {}, expected one level; report it",
      hwy::SupportedTargets());
}

}  // namespace gatewise::kernels

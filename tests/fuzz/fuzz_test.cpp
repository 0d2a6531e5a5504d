// Every target over its seeds and some thousand mutations of them, the same ones every time; with
// GATEWISE_LONG_TESTS=1 a hundred times as many, with another number other ones. libFuzzer goes further (make
// fuzz).
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/fuzz/mutate.h"

namespace gatewise {
namespace {

class EveryParser : public testing::TestWithParam<std::string> {};

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const auto& [name, target] : fuzz_targets()) names.push_back(name);
  return names;
}

// The input, as far as it can be read.
std::string shown(std::string_view input) {
  return testing::PrintToString(std::string(input.substr(0, 4000)));
}

TEST_P(EveryParser, RefusesWhatItCannotReadAndReadsItsSeeds) {
  const FuzzTarget& target = fuzz_targets().at(GetParam());
  const std::vector<std::string> seeds = target.seeds();
  ASSERT_FALSE(seeds.empty());
  EXPECT_EQ(run_fuzz_target(target, seeds[0]), "") << "the first seed is a good input";
  const char* given = std::getenv("GATEWISE_LONG_TESTS");
  const int mutations = target.mutations * (given == nullptr ? 1 : 100);
  Mutator mutator(target, given == nullptr ? 1 : std::strtoull(given, nullptr, 10));
  int refused = 0;
  std::string input;
  for (int i = 0; i < mutations; ++i) {
    // Every third goes on from the last one.
    input = mutator(i % 3 == 2 ? input : seeds[static_cast<size_t>(i) % seeds.size()]);
    try {
      refused += run_fuzz_target(target, input).empty() ? 0 : 1;
    } catch (const FuzzDefect& defect) {
      FAIL() << defect.what() << "\ninput: " << shown(input);
    }
  }
  EXPECT_GT(refused, 0) << "mutations that all pass test nothing";
}

INSTANTIATE_TEST_SUITE_P(Targets, EveryParser, testing::ValuesIn(names()),
                         [](const auto& target) { return target.param; });

}  // namespace
}  // namespace gatewise

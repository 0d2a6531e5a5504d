#include <set>

#include "base/error.h"
#include "base/options.h"
#include "base/random.h"
#include "base/threads.h"
#include "tests/base/message_of.h"

namespace gatewise {
namespace {

TEST(Errors, SuggestNearestName) {
  const std::vector<std::string> known{"experts", "expert_units", "gate_bias"};
  EXPECT_EQ(nearest_names("expets", known).front(), "experts");
  EXPECT_TRUE(nearest_names("zzz", known).empty());
  EXPECT_THAT(suggestion("gate_bais", known), testing::HasSubstr("gate_bias"));
}

struct Sample {
  int64_t k = 2;
  double rate = 0.5;
  std::string kind = "a";
  std::vector<int64_t> units{16};
  bool is_on = false;
  void declare(OptionSet& set) {
    set.add("k", &k, "kept").range(1, 8);
    set.add("rate", &rate, "rate").above(0);
    set.add("kind", &kind, "kind").choices({"a", "b"});
    set.add("units", &units, "units").range(1);
    set.add("is_on", &is_on, "switch");
  }
};

TEST(Options, ReadsWritesAndRefuses) {
  const Sample sample =
      read_options<Sample>(Json::parse(R"({"k": 3, "units": [4, 2], "is_on": true})"), "gate");
  EXPECT_EQ(sample.k, 3);
  EXPECT_EQ(sample.units, (std::vector<int64_t>{4, 2}));
  EXPECT_TRUE(sample.is_on);
  EXPECT_EQ(write_options(sample)["k"], 3);
  const auto refuses = [](const char* text) {
    return message_of([&] { read_options<Sample>(Json::parse(text), "gate"); });
  };
  EXPECT_THAT(refuses(R"({"k": 9})"), testing::HasSubstr("gate.k: got 9, expected 1 to 8"));
  EXPECT_THAT(refuses(R"({"kk": 1})"), testing::HasSubstr("unknown option \"kk\". Did you mean \"k\""));
  EXPECT_THAT(refuses(R"({"rate": 0})"), testing::HasSubstr("above 0"));
  EXPECT_THAT(refuses(R"({"kind": "c"})"), testing::HasSubstr("gate.kind"));
  EXPECT_THAT(refuses(R"({"units": [4, 0]})"), testing::HasSubstr("gate.units[1]"));
  EXPECT_THAT(refuses(R"({"k": "3"})"), testing::HasSubstr("expected an integer"));
}

// Known answers of Philox4x32-10 from the reference implementation of Salmon et al.
TEST(Random, PhiloxKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(Random, NormalHasUnitMoments) {
  const RandomStream stream(7, "test");
  double sum = 0, squares = 0;
  constexpr int count = 200000;
  for (int i = 0; i < count; ++i) {
    const double x = stream.normal(1, i / 10, i % 10);
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / count, 0, 4 / std::sqrt(count));
  EXPECT_NEAR(squares / count, 1, 4 * std::sqrt(2.0 / count));
}

TEST(Random, PermutationIsBijective) {
  for (const uint64_t count : {1u, 2u, 3u, 17u, 1000u, 4096u, 5000u}) {
    const Permutation permutation(count, 3);
    std::set<uint64_t> seen;
    for (uint64_t i = 0; i < count; ++i) seen.insert(permutation(i));
    EXPECT_EQ(seen.size(), count);
    EXPECT_LT(*seen.rbegin(), count);
  }
}

TEST(Pool, RunsEveryIndexOnceAndRethrows) {
  for (const int threads : {1, 2, 4}) {
    Pool pool(threads);
    for (int repeat = 0; repeat < 200; ++repeat) {
      std::vector<int> seen(37, 0);
      pool.run(37, [&](int64_t index, int) { ++seen[index]; });
      EXPECT_EQ(seen, std::vector<int>(37, 1));
    }
    EXPECT_THROW(pool.run(8,
                          [](int64_t i, int) {
                            if (i == 5) data_error("row {}", i);
                          }),
                 Error);
    int after = 0;
    pool.run(1, [&](int64_t, int) { ++after; });
    EXPECT_EQ(after, 1);
  }
}

}  // namespace
}  // namespace gatewise

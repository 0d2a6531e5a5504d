// Entries that are added while the program runs.
#include "base/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/plugin.h"
#include "tests/base/message_of.h"

namespace gatewise {
namespace {

using ::testing::HasSubstr;

struct Part {
  int number = 0;
};

Entry<Part> part(const std::string& name, int number, bool can_be_replaced) {
  return {name, "", Json::array(),
          [number](const Json&, const std::string&) { return std::make_unique<Part>(Part{number}); },
          can_be_replaced};
}

int made(const Entry<Part>& entry) { return entry.make(Json::object(), "")->number; }

TEST(Registry, OnlyWhatAllowsItIsReplacedAndWhatWasFoundStaysValid) {
  Registry<Part> registry;
  registry.add(part("built_in", 1, false));
  EXPECT_FALSE(registry.put(part("own", 2, true)));
  const Entry<Part>& found = registry.find("own", "part", "here");
  EXPECT_TRUE(registry.put(part("own", 3, true)));
  EXPECT_EQ(made(found), 2);
  EXPECT_EQ(made(registry.find("own", "part", "here")), 3);
  EXPECT_THAT(message_of([&] { registry.put(part("built_in", 4, true)); }), HasSubstr("this name is taken"));
  EXPECT_EQ(made(registry.find("built_in", "part", "here")), 1);
  EXPECT_THAT(message_of([&] { registry.add(part("own", 5, false)); }), HasSubstr("registered twice"));
  EXPECT_EQ(registry.names(), (std::vector<std::string>{"built_in", "own"}));
}

TEST(Registry, EntriesAreFoundWhileOthersAreAdded) {
  Registry<Part> registry;
  registry.put(part("first", 0, true));
  std::atomic<bool> has_ended = false;
  std::thread reader([&] {
    while (!has_ended) EXPECT_GE(made(registry.find("first", "part", "here")), 0);
  });
  for (int number = 1; number < 200; ++number) {
    registry.put(part("first", number, true));
    registry.put(part("part " + std::to_string(number), number, true));
  }
  has_ended = true;
  reader.join();
  EXPECT_EQ(made(registry.find("first", "part", "here")), 199);
  EXPECT_EQ(registry.entries().size(), 200u);
}

TEST(Plugin, TheStampNamesVersionHeadersAndCompiler) {
  EXPECT_THAT(plugin_stamp(),
              testing::MatchesRegex("gatewise [0-9.]+, headers [0-9a-f]+, (GCC|Clang) [0-9]+, .*"));
}

}  // namespace
}  // namespace gatewise

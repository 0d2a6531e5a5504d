#include "base/read_json.h"

#include <gmock/gmock.h>

#include "base/toml.h"
#include "tests/base/message_of.h"

namespace gatewise {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

TEST(ReadJson, GivesTheTreeInTheOrderOfTheText) {
  const std::string text = R"({"z":[1,-2,0.5,null,true,"é"],"a":{"b":{},"c":[]},"n":18446744073709551615})";
  std::string fault;
  const std::optional<Json> json = read_json(text, fault);
  ASSERT_TRUE(json) << fault;
  EXPECT_EQ(json->dump(), text);
  const std::vector<uint8_t> bytes = Json::to_cbor(*json);
  const std::optional<Json> again =
      read_cbor({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, fault);
  ASSERT_TRUE(again) << fault;
  EXPECT_EQ(again->dump(), text);
}

TEST(ReadJson, SaysWhyItReadsNothing) {
  std::string fault;
  for (const char* text : {"", "{\"a\":1", "[1,]", "\"\xff\"", "1e999", "{} {}"}) {
    EXPECT_FALSE(read_json(text, fault)) << text;
    EXPECT_FALSE(fault.empty()) << text;
  }
  EXPECT_FALSE(read_json("\"a\xff\"", fault));
  EXPECT_EQ(fault.find('\xff'), std::string::npos) << "messages are text";
  EXPECT_FALSE(read_json("{\"a\": nul}", fault));
  EXPECT_THAT(fault, HasSubstr("column 10"));
  EXPECT_FALSE(read_cbor("\x83\x01", fault));
  EXPECT_FALSE(fault.empty());
}

// Trees are copied, compared and printed by recursion: a file of brackets would use up the stack.
TEST(ReadJson, RefusesWhatNestsTooDeeply) {
  std::string fault;
  const auto lists = [](int levels) { return repeated("[", levels) + repeated("]", levels); };
  EXPECT_TRUE(read_json(lists(most_json_levels), fault)) << fault;
  EXPECT_FALSE(read_json(lists(most_json_levels + 1), fault));
  EXPECT_THAT(fault, HasSubstr("nest"));
  EXPECT_FALSE(read_json(repeated("{\"a\":", 1000000), fault));
  EXPECT_FALSE(read_cbor(repeated("\x81", 1000000), fault));
  EXPECT_THAT(fault, HasSubstr("nest"));
  EXPECT_TRUE(read_json("[" + repeated("[],", 1000) + "[]]", fault)) << fault;
}

TEST(ReadJson, TomlKeysOfTooManyNamesAreRefusedToo) {
  const std::string key = "a" + repeated(".a", 100000);
  EXPECT_THAT(message_of(Fault::Command, [&] { parse_toml("x = 1\n" + key + " = 1\n", "run.toml"); }),
              StartsWith("run.toml:2:"));
  EXPECT_THAT(message_of(Fault::Command, [&] { parse_toml("[" + key + "]\n", "run.toml"); }),
              HasSubstr("dots"));
  EXPECT_NO_THROW(
      parse_toml("a = [" + repeated("1.5, ", 1000) + "]\n" + repeated("x.y = \"a.b\"\n", 1), "run.toml"));
}

}  // namespace
}  // namespace gatewise

#include "base/toml.h"

#include <bit>

#include "tests/base/message_of.h"

namespace gatewise {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Toml, ReadsEveryKindOfValueInTheOrderOfTheText) {
  const Json json = parse_toml(R"(zebra = 1
apple = "a\tb"
[training]
rate = 1e-3
whole = 9223372036854775807
low = -9223372036854775808
on = true
from = 2026-11-22
at = 07:32:00
moment = 1979-05-27T07:32:00Z
units = [[1, 2], [3]]
[training.stop]
policy = 'mean'
[[runs]]
seed = 1
[[runs]]
seed = 2
[model]
b.y = 1
b.x = 2
a = {q = 1, p = 2.0}
)",
                               "config.toml");
  EXPECT_EQ(json.dump(),
            R"({"zebra":1,"apple":"a\tb","training":{"rate":0.001,"whole":9223372036854775807,)"
            R"("low":-9223372036854775808,"on":true,"from":"2026-11-22","at":"07:32:00",)"
            R"("moment":"1979-05-27T07:32:00Z","units":[[1,2],[3]],"stop":{"policy":"mean"}},)"
            R"("runs":[{"seed":1},{"seed":2}],"model":{"b":{"y":1,"x":2},"a":{"q":1,"p":2.0}}})");
  EXPECT_TRUE(json["model"]["a"]["p"].is_number_float());
}

// The parser's own assertions ended the program.
TEST(Toml, TextsThatBreakOffAnywhereAreErrors) {
  const std::string text = "[a.\"b\".c]\nx.y = {p = 1, q.r = [1, 'z']}\n[[d.e]]\nf = 1979-05-27T07:32:00Z\n";
  for (size_t size = 0; size < text.size(); ++size) {
    for (const char* tail :
         {"", ".", "=", "[", "{", "\"", "]", "}", ",", "#", "\n", ".\n", ", }", ".]", "= ,", "\r"}) {
      try {
        parse_toml(text.substr(0, size) + tail, "x.toml");
      } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::Command) << error.what();
      }
    }
  }
}

TEST(Toml, ErrorsSayFileLineAndColumn) {
  EXPECT_THAT(message_of(Fault::Command, [] { parse_toml("a = 1\nb = = 2\n", "config.toml"); }),
              StartsWith("config.toml:2:5: "));
  EXPECT_THAT(message_of(Fault::Command, [] { parse_toml("[a]\nx = 1\nx = 2\n", "c.toml"); }),
              AllOf(StartsWith("c.toml:3:"), HasSubstr("x")));
  EXPECT_THAT(message_of(Fault::Command, [] { parse_toml("x = 9223372036854775808", "c.toml"); }),
              StartsWith("c.toml:1:"));
  EXPECT_THAT(message_of(Fault::Command, [] { parse_toml("x = \"\xff\"", "c.toml"); }),
              StartsWith("c.toml:1:"));
  EXPECT_THAT(message_of(Fault::Command, [] { read_toml_file("nowhere/config.toml"); }),
              StartsWith("nowhere/config.toml: cannot"));
}

// The parser's tables of letters call some of these unreachable.
TEST(Toml, LettersOutsideAsciiNeedQuotesInNames) {
  for (const char* letter : {"é", "ɤ", "ж", "漢", "😀"}) {
    EXPECT_THAT(message_of(Fault::Command, [&] { parse_toml(std::string(letter) + " = 1\n", "c.toml"); }),
                StartsWith("c.toml:1:1: "));
    const std::string quoted = fmt::format("\"{0}\" = \"{0}\"\n", letter);
    EXPECT_EQ(parse_toml(quoted, "c.toml"), (Json{{letter, letter}}));
  }
}

TEST(Toml, WritesValuesThenTablesInTheirOrder) {
  const Json json = Json::parse(R"({"model": {"type": "mmoe", "expert": {"units": [64, 32]}, "experts": 8},
    "seed": 7, "empty": {}, "outer": {"inner": {"x": 1}}, "none": null, "runs": [{"a": 1, "b": {"c": 2}}, {}],
    "mixed": [1, {"k": "v"}], "a key": {"é.x": 1.0}})");
  EXPECT_EQ(to_toml(json), R"(seed = 7
mixed = [1, { k = "v" }]

[model]
type = "mmoe"
experts = 8

[model.expert]
units = [64, 32]

[empty]

[outer.inner]
x = 1

[[runs]]
a = 1

[runs.b]
c = 2

[[runs]]

["a key"]
"é.x" = 1.0
)");
}

// Compares without regard to the order of keys.
nlohmann::json unordered(const Json& json) { return nlohmann::json::parse(json.dump()); }

TEST(Toml, WhatIsWrittenReadsBackTheSame) {
  const Json json =
      Json::parse(R"({"text": "quote \" back \\ line\nreturn\r tab\t bell\u0007 del\u007f zero\u0000 é 漢",
    "": "empty key", "a.b": 1, "sp ace": 2, "quo\"te": {"x": {"y.z": {"deep": [[], [[]], ["a", 1.5]]}}},
    "large": 9223372036854775807, "small": -9223372036854775808, "third": 0.3333333333333333, "tiny": 5e-324,
    "huge": 1.7976931348623157e308, "hundred": 1e22, "minus": -0.0, "list": [{"a": []}, {"a": [{"b": 1}, {}]}],
    "yes": true, "no": false, "in list": [1, {"a": {"b": 2}, "c": []}, [{"d": 1}]]})");
  const std::string text = to_toml(json);
  const Json back = parse_toml(text, "round trip");
  EXPECT_EQ(unordered(back), unordered(json)) << text;
  EXPECT_EQ(to_toml(back), text);
  EXPECT_TRUE(back["hundred"].is_number_float());
  EXPECT_TRUE(std::signbit(back["minus"].get<double>()));
}

TEST(Toml, FloatsKeepTheirBits) {
  uint64_t state = 1;
  for (int i = 0; i < 2000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const double number = std::bit_cast<double>(state);
    if (!std::isfinite(number)) continue;
    const Json back = parse_toml(to_toml({{"x", number}}), "x");
    EXPECT_EQ(std::bit_cast<uint64_t>(back["x"].get<double>()), state) << number;
  }
  const double infinite = std::numeric_limits<double>::infinity();
  const Json back = parse_toml(to_toml({{"up", infinite}, {"down", -infinite}, {"not", std::nan("")}}), "x");
  EXPECT_EQ(back["up"], infinite);
  EXPECT_EQ(back["down"], -infinite);
  EXPECT_TRUE(std::isnan(back["not"].get<double>()));
}

TEST(Toml, RefusesWhatTomlCannotSay) {
  EXPECT_THAT(message_of(Fault::Command,
                         [] {
                           to_toml({{"a", {{"b", {1, nullptr}}}}});
                         }),
              AllOf(StartsWith("a.b: "), HasSubstr("null")));
  EXPECT_THAT(message_of(Fault::Command,
                         [] {
                           to_toml({{"seed", uint64_t{1} << 63}});
                         }),
              HasSubstr("9223372036854775808"));
  EXPECT_THAT(message_of(Fault::Command, [] { to_toml({{"text", "\xff"}}); }), HasSubstr("UTF-8"));
}

}  // namespace
}  // namespace gatewise

#include "base/utf8.h"

#include "base/json.h"
#include "tests/base/message_of.h"

namespace gatewise {
namespace {

bool is_utf8_to_json(const std::string& text) {
  try {
    Json(text).dump();
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

TEST(Utf8, AgreesWithTheJsonWriterOnEveryFirstByte) {
  const std::vector<std::string> ends{"", "\x80", "\xbf", "\x80\x80", "\xbf\xbf", "a"};
  for (int first = 1; first < 256; ++first) {
    for (const int second : {0x61, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff}) {
      for (const std::string& end : ends) {
        const std::string text = std::string{'x', static_cast<char>(first), static_cast<char>(second)} + end;
        ASSERT_EQ(is_utf8(text), is_utf8_to_json(text)) << first << " " << second << " " << end.size();
      }
    }
  }
}

TEST(Utf8, BytesOfNoCharacterAreShownByTheirNumber) {
  EXPECT_EQ(with_bytes_escaped("caf\xe9 caf\xc3\xa9 \xf0\x9f\x98"), "caf\\xe9 caf\xc3\xa9 \\xf0\\x9f\\x98");
}

}  // namespace
}  // namespace gatewise

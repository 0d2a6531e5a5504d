#include <dlfcn.h>
#include <gmock/gmock.h>
#include <simdjson.h>

#include "serving/json_values.h"

namespace gatewise {
namespace {

// Arrow's libraries export a simdjson of another version, whose classes need not look as this header says.
TEST(JsonLibrary, IsTheOneThatItsHeaderBelongsTo) {
  Dl_info info{};
  ASSERT_NE(dladdr(reinterpret_cast<void*>(&simdjson::get_active_implementation), &info), 0);
  EXPECT_THAT(info.dli_fname, testing::HasSubstr("libsimdjson"));
}

TEST(JsonLibrary, ItemsAreCountedBeyondWhatItsOwnCounterHolds) {
  constexpr size_t items = (size_t{1} << 24) + 3;
  std::string text(2 * items, '0');
  for (size_t i = 0; i < items; ++i) text[2 * i] = i == 0 ? '[' : ',';
  text += ']';
  simdjson::dom::parser parser;
  EXPECT_EQ(json_count(parser.parse(text).get_array().value()), items);
  EXPECT_EQ(json_count(parser.parse(std::string_view("[1, [2, 3]]")).get_array().value()), 2);
  EXPECT_EQ(json_count(parser.parse(std::string_view(R"({"a": 1, "b": {}})")).get_object().value()), 2);
}

}  // namespace
}  // namespace gatewise

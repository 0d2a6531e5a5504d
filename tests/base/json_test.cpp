#include "base/json.h"

#include <gtest/gtest.h>

namespace gatewise {
namespace {

TEST(Json, WholeNumbersAreReadAsTheyAre) {
  EXPECT_EQ(Json(-7).get<int64_t>(), -7);
  EXPECT_EQ(Json(2.0).get<int64_t>(), 2);
  EXPECT_EQ(Json::parse("18446744073709551615").get<uint64_t>(), 18446744073709551615u);
  EXPECT_EQ(Json(-9223372036854775808.0).get<int64_t>(), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(Json::parse("[1, 2]").get<std::vector<int64_t>>(), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(Json::parse(R"({"a": 3})").value("a", int64_t{1}), 3);
  EXPECT_EQ(Json(int64_t{5}).dump() + Json(uint64_t{6}).dump() + Json(int{-1}).dump(), "56-1");
}

TEST(Json, WhatIsNoWholeNumberInRangeIsRefused) {
  for (const char* text : {"1.5", "1e20", "-1e300", "9223372036854775808", "9223372036854775808.0", "true",
                           "\"1\"", "null", "[]"}) {
    EXPECT_THROW(Json::parse(text).get<int64_t>(), Json::type_error) << text;
  }
  for (const char* text : {"-1", "-1.0", "-0.5", "18446744073709551616"}) {
    EXPECT_THROW(Json::parse(text).get<uint64_t>(), Json::type_error) << text;
  }
  EXPECT_THROW(Json(int64_t{1} << 31).get<int>(), Json::type_error);
  EXPECT_THROW(Json::parse("[1, 2.5]").get<std::vector<int64_t>>(), Json::type_error);
}

}  // namespace
}  // namespace gatewise

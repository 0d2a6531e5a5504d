#include "table/table.h"

#include "base/error.h"
#include "table/parse.h"
#include "table/string_index.h"
#include "tests/table/files.h"

namespace gatewise {
namespace {

TEST(Parse, NumbersFromEndToEnd) {
  EXPECT_EQ(parse_number("-1.5e3"), -1500.0);
  EXPECT_EQ(parse_number("+7"), 7.0);
  EXPECT_TRUE(std::isnan(parse_number("NaN").value()));
  EXPECT_EQ(parse_number("-inf"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(parse_number("1e999"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(parse_number("-1e-999"), 0.0);
  EXPECT_EQ(parse_number("0." + std::string(400, '0') + "1"), 0.0);
  for (const char* text : {"", "abc", "1x", "1,5", "+-1", " 1", "0x10"})
    EXPECT_FALSE(parse_number(text)) << text;
}

TEST(Parse, NumericColumnsHoldTruthValuesToo) {
  for (const char* text : {"true", "True", "TRUE"}) EXPECT_EQ(parse_numeric(text), 1.0) << text;
  for (const char* text : {"false", "False", "FALSE"}) EXPECT_EQ(parse_numeric(text), 0.0) << text;
  EXPECT_EQ(parse_numeric("-2.5"), -2.5);
  for (const char* text : {"", "tru", "truer", "t", "yes", "2011-01-31"})
    EXPECT_FALSE(parse_numeric(text)) << text;
}

TEST(Parse, IdsOfSixtyFourBits) {
  uint64_t id = 0;
  EXPECT_EQ(parse_id("18446744073709551615", id), IdParse::Ok);
  EXPECT_EQ(id, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(parse_id("-1", id), IdParse::Ok);
  EXPECT_EQ(id, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(parse_id("9007199254740993", id), IdParse::Ok);
  EXPECT_EQ(id, 9007199254740993u);
  EXPECT_EQ(parse_id("18446744073709551616", id), IdParse::TooLarge);
  EXPECT_EQ(parse_id("-9223372036854775809", id), IdParse::TooLarge);
  for (const char* text : {"", "1.0", "abc", "1e3", "--1"})
    EXPECT_EQ(parse_id(text, id), IdParse::NotAnInteger) << text;
}

TEST(Parse, DatesAsSecondsSince1970) {
  EXPECT_EQ(parse_time("1970-01-02"), 86400.0);
  EXPECT_EQ(parse_time("2011-01-01T06:30:15"), 1293840000.0 + 6 * 3600 + 30 * 60 + 15);
  EXPECT_EQ(parse_time("2011-01-01 06:30Z"), 1293840000.0 + 6 * 3600 + 30 * 60);
  EXPECT_EQ(parse_time("42.5"), 42.5);
  for (const char* text :
       {"2011-02-30", "2011-13-01", "2011-1-1", "2011-01-01T", "2011-01-01 25:00", "yesterday"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

TEST(StringIndex, NumbersTextsInOrderOfArrival) {
  StringIndex index;
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(index.add(std::to_string(i)), static_cast<uint32_t>(i));
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(index.find(std::to_string(i)), static_cast<uint32_t>(i));
  EXPECT_EQ(index.find("x"), StringIndex::none);
  EXPECT_EQ(index.add("17"), 17u);
  EXPECT_EQ(index.size(), 5000u);
}

Table sample() {
  return Table::from_columns("memory", {{"x", Numbers{{1, 2, 3}}},
                                        {"user", IdValues{{7, 8, 9}, {1, 0, 1}}},
                                        {"word", Texts{{0, missing_code, 1}, {"a", "b"}}},
                                        {"history", IdLists{{0, 2, 2, 3}, {5, 6, 7}}},
                                        {"vector", NumberLists{{0, 1, 2, 4}, {1, 2, 3, 4}}},
                                        {"tags", TextLists{{0, 1, 1, 3}, {0, 1, 0}, {"p", "q"}}}});
}

TEST(Table, SelectsRowsOfEveryType) {
  const Table table = sample().select({2, 0});
  EXPECT_EQ(std::get<Numbers>(table.column("x").data).values, (std::vector<double>{3, 1}));
  const auto& users = std::get<IdValues>(table.column("user").data);
  EXPECT_EQ(users.values, (std::vector<uint64_t>{9, 7}));
  EXPECT_TRUE(users.is_present(0));
  EXPECT_EQ(std::get<Texts>(table.column("word").data).codes, (std::vector<uint32_t>{1, 0}));
  EXPECT_EQ(std::get<IdLists>(table.column("history").data).ids, (std::vector<uint64_t>{7, 5, 6}));
  EXPECT_EQ(std::get<NumberLists>(table.column("vector").data).offsets, (std::vector<int64_t>{0, 2, 3}));
  EXPECT_EQ(std::get<TextLists>(table.column("tags").data).codes, (std::vector<uint32_t>{1, 0, 0}));
  EXPECT_EQ(table.rows(), 2);
  EXPECT_EQ(table.place(0), "memory: row 3");
  EXPECT_EQ(table.select({1}).place(0), "memory: row 1");
}

TEST(Table, RefusesUnequalColumnsAndUnknownNames) {
  EXPECT_THAT(message_of([] {
                Table::from_columns("frame", {{"a", Numbers{{1, 2}}}, {"b", Numbers{{1}}}});
              }),
              testing::HasSubstr("frame: column \"b\" has the wrong length; got 1 rows, expected 2"));
  EXPECT_THAT(message_of([] {
                Table::from_columns("frame", {{"a", Numbers{{1}}}, {"a", Numbers{{1}}}});
              }),
              testing::HasSubstr("given twice"));
  EXPECT_THAT(message_of([] { sample().column("usr"); }), testing::HasSubstr("Did you mean \"user\"?"));
}

}  // namespace
}  // namespace gatewise

#include "table/arrow_import.h"

#include <gmock/gmock.h>

#include <array>
#include <cmath>

#include "table/table_files.h"
#include "tests/base/message_of.h"

namespace gatewise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// An array by hand: what the structs point to, and the structs.
struct Made {
  Made(const char* format, std::vector<const void*> pieces, int64_t length)
      : buffers(std::move(pieces)), names{format} {
    schema.format = names.c_str();
    schema.name = "made";
    array.length = length;
    array.null_count = -1;
    array.n_buffers = static_cast<int64_t>(buffers.size());
    array.buffers = buffers.data();
  }
  // Makes `item` the child of a list.
  Made& of(Made& item) {
    schema.n_children = array.n_children = 1;
    item_schema = &item.schema;
    item_array = &item.array;
    schema.children = &item_schema;
    array.children = &item_array;
    return *this;
  }
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;

  std::vector<const void*> buffers;
  std::string names;
  ArrowSchema schema{};
  ArrowArray array{};
  ArrowSchema* item_schema = nullptr;
  ArrowArray* item_array = nullptr;
};

Column read(const Made& made, ColumnType type, int64_t first, int64_t count, int64_t offset = 0) {
  ColumnBuilder builder({"made", type, std::nullopt, "|"}, ReadOptions());
  append_arrow({made.schema, made.array, offset}, first, count, builder);
  return builder.finish();
}

std::vector<double> numbers(const Made& made, int64_t first, int64_t count, int64_t offset = 0) {
  return std::get<Numbers>(read(made, ColumnType::Number, first, count, offset).data).values;
}

std::vector<std::string> texts(const Made& made, int64_t first, int64_t count) {
  const Column column = read(made, ColumnType::Text, first, count);
  std::vector<std::string> found;
  for (const uint32_t code : std::get<Texts>(column.data).codes)
    found.push_back(code == missing_code ? "missing" : std::get<Texts>(column.data).levels[code]);
  return found;
}

std::string fault_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const FieldFault& fault) {
    return fault.message;
  }
  return "none";
}

TEST(ArrowImport, CountsOffsetsOfArraysAndTheirParents) {
  const std::array<int16_t, 10> values{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::array<uint8_t, 2> valid{0b11011111, 0b11};  // the sixth is missing
  Made made("s", {valid.data(), values.data()}, 6);
  made.array.offset = 2;
  EXPECT_THAT(numbers(made, 0, 3), ElementsAre(2, 3, 4));
  EXPECT_THAT(numbers(made, 2, 3, 1), ElementsAre(testing::NanSensitiveDoubleEq(NAN), 6, 7));
  EXPECT_THAT(numbers(made, 0, 3, 1), ElementsAre(3, 4, testing::NanSensitiveDoubleEq(NAN)));
}

TEST(ArrowImport, ReadsNumbersOfEveryWidth) {
  const std::array<int8_t, 2> bytes{-1, 100};
  EXPECT_THAT(numbers(Made("c", {nullptr, bytes.data()}, 2), 0, 2), ElementsAre(-1, 100));
  EXPECT_THAT(numbers(Made("C", {nullptr, bytes.data()}, 2), 0, 2), ElementsAre(255, 100));
  const std::array<uint32_t, 1> words{4000000000u};
  EXPECT_THAT(numbers(Made("I", {nullptr, words.data()}, 1), 0, 1), ElementsAre(4e9));
  const std::array<uint64_t, 1> ids{0xffffffffffffffffu};
  EXPECT_THAT(texts(Made("L", {nullptr, ids.data()}, 1), 0, 1), ElementsAre("18446744073709551615"));
  EXPECT_THAT(texts(Made("l", {nullptr, ids.data()}, 1), 0, 1), ElementsAre("-1"));
  // 1, -2, the smallest subnormal, infinity, the largest.
  const std::array<uint16_t, 5> halves{0x3c00, 0xc000, 0x0001, 0x7c00, 0x7bff};
  EXPECT_THAT(numbers(Made("e", {nullptr, halves.data()}, 5), 0, 5),
              ElementsAre(1, -2, std::ldexp(1.0, -24), INFINITY, 65504));
  const std::array<float, 5> floats{0.1f, 2, -1234.56f, 123456789.0f, 1e20f};
  EXPECT_THAT(texts(Made("f", {nullptr, floats.data()}, 5), 0, 5),
              ElementsAre("0.1", "2", "-1234.56", "123456790", "1e+20"));
  const std::array<int64_t, 4> decimals{-12345, -1, 250, 0};
  EXPECT_THAT(numbers(Made("d:10,2", {nullptr, decimals.data()}, 2), 0, 2), ElementsAre(-123.45, 2.5));
  const std::array<uint8_t, 1> bits{0b101};
  EXPECT_THAT(numbers(Made("b", {nullptr, bits.data()}, 3), 0, 3), ElementsAre(1, 0, 1));
  EXPECT_THAT(texts(Made("b", {nullptr, bits.data()}, 3), 0, 3), ElementsAre("true", "false", "true"));
}

TEST(ArrowImport, ReadsTextsInEveryLayout) {
  const char bytes[] = "abcde a text of more than twelve bytes";
  const std::array<int32_t, 4> small{0, 1, 1, 5};
  EXPECT_THAT(texts(Made("u", {nullptr, small.data(), bytes}, 3), 0, 3), ElementsAre("a", "missing", "bcde"));
  const std::array<int64_t, 3> large{1, 3, 5};
  EXPECT_THAT(texts(Made("U", {nullptr, large.data(), bytes}, 2), 0, 2), ElementsAre("bc", "de"));
  // A short text within its view, and a place in the second buffer.
  std::array<char, 32> views{};
  const int32_t lengths[] = {3, 33}, place[] = {1, 5};
  std::memcpy(views.data(), &lengths[0], 4);
  std::memcpy(views.data() + 4, "xyz", 3);
  std::memcpy(views.data() + 16, &lengths[1], 4);
  std::memcpy(views.data() + 24, place, 8);
  EXPECT_THAT(texts(Made("vu", {nullptr, views.data(), "other", bytes}, 2), 0, 2),
              ElementsAre("xyz", "a text of more than twelve bytes"));
}

TEST(ArrowImport, ReadsDictionariesAsTheirValues) {
  const char bytes[] = "redblue";
  const std::array<int32_t, 3> ends{0, 3, 7};
  const std::array<uint8_t, 4> codes{1, 0, 1, 1};
  const std::array<uint8_t, 1> valid{0b1011};
  Made values("u", {nullptr, ends.data(), bytes}, 2);
  Made made("C", {valid.data(), codes.data()}, 4);
  made.schema.dictionary = &values.schema;
  made.array.dictionary = &values.array;
  EXPECT_THAT(texts(made, 0, 4), ElementsAre("blue", "red", "missing", "blue"));
  EXPECT_EQ(natural_type(made.schema, true), ColumnType::Text);
  EXPECT_EQ(arrow_type_text(made.schema), "dictionary<string>");
}

TEST(ArrowImport, ReadsListsInEveryLayout) {
  const std::array<int32_t, 6> items{10, 11, 12, 13, 14, 15};
  const auto ids = [](const Made& made, int64_t first, int64_t count) {
    return std::get<IdLists>(read(made, ColumnType::IdList, first, count).data);
  };
  Made child("i", {nullptr, items.data()}, 6);
  const std::array<int32_t, 4> ends{0, 2, 2, 6};
  Made plain("+l", {nullptr, ends.data()}, 3);
  EXPECT_THAT(ids(plain.of(child), 1, 2).offsets, ElementsAre(0, 0, 4));
  EXPECT_THAT(ids(plain, 1, 2).ids, ElementsAre(12, 13, 14, 15));
  const std::array<int64_t, 2> starts{3, 0}, sizes{2, 1};
  Made views("+vL", {nullptr, starts.data(), sizes.data()}, 2);
  EXPECT_THAT(ids(views.of(child), 0, 2).ids, ElementsAre(13, 14, 10));
  Made fixed("+w:2", {nullptr}, 2);
  fixed.array.offset = 1;
  EXPECT_THAT(ids(fixed.of(child), 0, 2).ids, ElementsAre(12, 13, 14, 15));
  EXPECT_EQ(arrow_type_text(fixed.schema), "fixed_size_list<int32>[2]");
  EXPECT_EQ(natural_type(fixed.schema, true), ColumnType::IdList);
}

TEST(ArrowImport, RefusesTypesByTheirNames) {
  const std::array<double, 1> values{1.5};
  const Made real("g", {nullptr, values.data()}, 1);
  EXPECT_THAT(fault_of([&] { read(real, ColumnType::Id, 0, 1); }),
              HasSubstr("is stored as double, which cannot be read as id; ids never pass through floating"));
  EXPECT_THAT(fault_of([&] { read(real, ColumnType::IdList, 0, 1); }), HasSubstr("as list of ids"));
  const Made duration("tDs", {nullptr, values.data()}, 1);
  EXPECT_THAT(fault_of([&] { read(duration, ColumnType::Number, 0, 1); }), HasSubstr("stored as duration,"));
  const Made wide("d:40,2,256", {nullptr, values.data()}, 1);
  EXPECT_THAT(fault_of([&] { read(wide, ColumnType::Number, 0, 1); }), HasSubstr("stored as decimal256,"));
}

// These tests are linked without the folder that reads files.
TEST(TableFiles, AreRefusedWhereNothingReadsThem) {
  EXPECT_THAT(message_of(Fault::Command, [] { read_table({"rows.csv"}, {}); }),
              HasSubstr("this build reads no files"));
}

}  // namespace
}  // namespace gatewise

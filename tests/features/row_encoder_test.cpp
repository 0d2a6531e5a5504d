#include "features/row_encoder.h"

#include <gmock/gmock.h>

#include "tests/base/message_of.h"
#include "tests/features/every_kind.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

class RowEncoderTest : public testing::Test {
 protected:
  RowEncoderTest()
      : file_(folder_.write("rows.csv", every_kind_csv)),
        encoder_(Encoder::fit(read_every_kind(file_, every_kind_schema(), true), every_kind_schema())),
        rows_(encoder_) {}

  // The file's rows as texts.
  std::vector<RawValue> texts() {
    fields_ = fields_of(every_kind_csv);
    std::vector<RawValue> values;
    for (const auto& row : fields_) {
      for (const std::string& name : rows_.columns()) values.emplace_back(std::string_view(row.at(name)));
    }
    return values;
  }

  EncodedData encoded(const std::vector<RawValue>& values) const {
    EncodedData data;
    rows_.encode(values, static_cast<int64_t>(values.size() / rows_.columns().size()), data);
    return data;
  }

  // A row of missing values but for one.
  std::vector<RawValue> one(const std::string& column, RawValue value) const {
    std::vector<RawValue> values(rows_.columns().size());
    values[static_cast<size_t>(rows_.find(column))] = value;
    return values;
  }

  Folder folder_;
  std::string file_;
  Encoder encoder_;
  RowEncoder rows_;
  std::vector<std::map<std::string, std::string>> fields_;
};

void expect_equal(const EncodedData& data, const EncodedData& expected) {
  EXPECT_EQ(data.rows, expected.rows);
  EXPECT_EQ(data.numeric, expected.numeric);
  EXPECT_EQ(data.ids, expected.ids);
  ASSERT_EQ(data.bags.size(), expected.bags.size());
  for (size_t bag = 0; bag < data.bags.size(); ++bag) {
    EXPECT_EQ(data.bags[bag].offsets, expected.bags[bag].offsets);
    EXPECT_EQ(data.bags[bag].ids, expected.bags[bag].ids);
    EXPECT_EQ(data.bags[bag].weights, expected.bags[bag].weights);
  }
}

TEST_F(RowEncoderTest, EncodesTextsAsTheFileTheyComeFrom) {
  const EncodedData expected = encoder_.encode(read_every_kind(file_, encoder_.schema(), false), false);
  EncodedData data = encoded(texts());
  expect_equal(data, expected);
  // Memory of another request leaves no trace.
  rows_.encode(one("age", 3.0), 1, data);
  const std::vector<RawValue> again = texts();
  rows_.encode(again, static_cast<int64_t>(fields_.size()), data);
  expect_equal(data, expected);
}

TEST_F(RowEncoderTest, EncodesTypedValuesAsTheirTexts) {
  const std::vector<RawValue> as_texts = texts();
  const size_t width = rows_.columns().size();
  const std::vector<RawValue> first(as_texts.begin(), as_texts.begin() + static_cast<int64_t>(width));
  std::vector<RawValue> typed = first;
  const double weights[] = {0.5, 2}, place[] = {1, 2};
  const uint64_t seen[] = {7, 8};
  const std::string_view tags[] = {"new", " hot ", "?"};
  const auto set = [&](const char* column, RawValue value) {
    typed[static_cast<size_t>(rows_.find(column))] = value;
  };
  set("age", 20.0);
  set("pages", uint64_t{1});
  set("spent", 3.0);
  set("user", uint64_t{7});
  set("zip", 10.0);
  set("seen", std::span<const uint64_t>(seen));
  set("weights", std::span<const double>(weights));
  set("tags", std::span<const std::string_view>(tags));
  set("place", std::span<const double>(place));
  expect_equal(encoded(typed), encoded(first));
  set("zip", uint64_t{10});
  expect_equal(encoded(typed), encoded(first));
}

TEST_F(RowEncoderTest, TruthTextsAreNumbersInRowsFilesAndTablesAlike) {
  const std::string file = folder_.write("truths.csv", "age,y\nTrue,0\nfalse,1\n FALSE,1\n3,0\n");
  const Schema schema = Schema::from_json(
      Json::parse(R"({"columns": {"age": {"role": "numeric", "transform": "none"}}, "tasks": {"y": {}}})"));
  const Table of_file = read_every_kind(file, schema, true);
  const Encoder encoder = Encoder::fit(of_file, schema);
  const std::vector<float> expected{1, 0, 0, 3};
  EXPECT_EQ(encoder.encode(of_file, false).numeric, expected);
  const Table of_texts =
      Table::from_columns("memory", {{"age", Texts{{0, 1, 2, 3}, {"True", "false", " FALSE", "3"}}}});
  EXPECT_EQ(encoder.encode(of_texts, false).numeric, expected);
  EncodedData rows;
  const std::vector<RawValue> values{"True", "false", " FALSE", "3"};
  RowEncoder(encoder).encode(values, 4, rows);
  EXPECT_EQ(rows.numeric, expected);
}

TEST_F(RowEncoderTest, MissingValuesAreThoseOfAnEmptyField) {
  std::vector<RawValue> empty(rows_.columns().size(), std::string_view()), nan(empty.size());
  for (const char* column : {"age", "pages", "spent", "colour"})
    nan[static_cast<size_t>(rows_.find(column))] = std::nan("");
  const EncodedData expected = encoded(empty);
  expect_equal(encoded(std::vector<RawValue>(empty.size())), expected);
  expect_equal(encoded(nan), expected);
}

TEST_F(RowEncoderTest, NamesTheRowAndTheColumnAtFault) {
  const auto message = [&](const std::string& column, RawValue value) {
    return message_of([&] { encoded(one(column, value)); });
  };
  const double with_infinity[] = {1, std::numeric_limits<double>::infinity()}, three[] = {1, 2, 3};
  EXPECT_THAT(message("age", "abc"), HasSubstr("row 1: column \"age\": \"abc\" is not a number"));
  EXPECT_THAT(message("age", with_infinity[1]), HasSubstr("row 1: column \"age\": the value is infinite"));
  EXPECT_THAT(message("pages", "1e999"), HasSubstr("column \"pages\": the value is infinite"));
  EXPECT_THAT(message("user", 7.0), HasSubstr("column \"user\": got a number, expected an id"));
  EXPECT_THAT(message("user", "7.5"), HasSubstr("\"7.5\" is not a 64-bit id"));
  EXPECT_THAT(message("colour", std::span<const double>(three)),
              HasSubstr("got a list of numbers, expected a text"));
  EXPECT_THAT(message("age", std::span<const double>(three)),
              HasSubstr("got a list of numbers, expected a number"));
  EXPECT_THAT(message("tags", 3.0), HasSubstr("column \"tags\": got a number, expected a list of texts"));
  EXPECT_THAT(message("place", std::span<const double>(three)),
              HasSubstr("got a vector of 3 numbers, expected 2"));
  EXPECT_THAT(message("place", std::span<const double>(with_infinity)),
              HasSubstr("column \"place\": the value is inf"));
  EXPECT_THAT(message("seen", "7|8"), HasSubstr("column \"weights\": got 0 weights for 2 ids"));
  std::vector<RawValue> second = texts();
  second[rows_.columns().size()] = "x";
  EXPECT_THAT(message_of([&] { encoded(second); }), HasSubstr("row 2: "));
  EXPECT_THAT(message_of([&] {
                EncodedData data;
                rows_.encode(texts(), 3, data);
              }),
              HasSubstr("values, expected 10 for each of 3 rows"));
}

// The columns of a whole encoded row that a part's encoder says it writes.
EncodedData columns_of(const EncodedData& whole, const EncodedColumns& kept) {
  EncodedData part;
  part.rows = whole.rows;
  for (int64_t row = 0; row < whole.rows; ++row) {
    for (const int64_t column : kept.numeric)
      part.numeric.push_back(whole.numeric[row * whole.numeric_width + column]);
    for (const int64_t column : kept.ids) part.ids.push_back(whole.ids[row * whole.id_columns + column]);
  }
  for (const int64_t bag : kept.bags) part.bags.push_back(whole.bags[bag]);
  return part;
}

TEST_F(RowEncoderTest, EncodesPartsOfRowsSideBySide) {
  // The bag that has weights is not the first.
  Schema schema = every_kind_schema();
  std::reverse(schema.columns.begin(), schema.columns.end());
  const Encoder encoder = Encoder::fit(read_every_kind(file_, schema, true), schema);
  const RowEncoder rows(encoder);
  const std::vector<std::map<std::string, std::string>> fields = fields_of(every_kind_csv);
  const auto count = static_cast<int64_t>(fields.size());
  // The values of these columns, in the order of whole rows.
  const auto values_of = [&](const std::vector<bool>& columns) {
    std::vector<RawValue> values;
    for (const auto& row : fields) {
      for (size_t i = 0; i < columns.size(); ++i) {
        if (columns[i]) values.emplace_back(std::string_view(row.at(rows.columns()[i])));
      }
    }
    return values;
  };
  const size_t width = rows.columns().size();
  EncodedData whole;
  rows.encode(values_of(std::vector<bool>(width, true)), count, whole);
  for (size_t one = 0; one < width; ++one) {
    // That column alone, but for a bag and its weights, and all others.
    std::vector<bool> kept(width, false);
    kept[one] = true;
    const std::string& name = rows.columns()[one];
    if (name == "seen" || name == "weights") kept[rows.find("seen")] = kept[rows.find("weights")] = true;
    size_t numeric = 0, ids = 0, bags = 0;
    for (int side = 0; side < 2; ++side, kept.flip()) {
      const RowEncoder part(encoder, {kept, "candidate"});
      EncodedData data;
      part.encode(values_of(kept), count, data);
      expect_equal(data, columns_of(whole, part.encoded()));
      for (size_t i = 0, at = 0; i < width; ++i)
        EXPECT_EQ(part.find(rows.columns()[i]), kept[i] ? static_cast<int64_t>(at++) : -1);
      numeric += part.encoded().numeric.size();
      ids += part.encoded().ids.size();
      bags += part.encoded().bags.size();
    }
    EXPECT_EQ(numeric, static_cast<size_t>(whole.numeric_width));
    EXPECT_EQ(ids, static_cast<size_t>(whole.id_columns));
    EXPECT_EQ(bags, whole.bags.size());
  }
}

TEST_F(RowEncoderTest, NamesWhatAPartIs) {
  std::vector<bool> columns(rows_.columns().size(), false);
  columns[rows_.find("age")] = true;
  EncodedData data;
  const std::vector<RawValue> bad{20.0, "abc"};
  EXPECT_THAT(message_of([&] {
                RowEncoder(encoder_, {columns, "candidate"}).encode(bad, 2, data);
              }),
              HasSubstr("candidate 2: column \"age\": \"abc\" is not a number"));
  EXPECT_THAT(message_of([&] {
                RowEncoder(encoder_, {columns, "context", false}).encode(std::span(bad).subspan(1), 1, data);
              }),
              testing::StartsWith("context: column \"age\""));
  columns[rows_.find("seen")] = true;
  EXPECT_THAT(message_of([&] {
                RowEncoder(encoder_, {columns, "context", false});
              }),
              HasSubstr("context: column \"weights\" holds the weights of \"seen\""));
}

}  // namespace
}  // namespace gatewise

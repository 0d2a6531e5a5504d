#include "features/encoder.h"

#include "features/labels.h"
#include "table/table_files.h"
#include "tests/features/schema_of.h"
#include "tests/table/files.h"

namespace gatewise {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;

const double nan_value = std::nan("");
const double infinite = std::numeric_limits<double>::infinity();

Table table_of(std::vector<Column> columns) { return Table::from_columns("memory", std::move(columns)); }

Column labels(std::vector<double> values) { return {"y", Numbers{std::move(values)}}; }

// Column `column` of a row-major matrix.
template <class T>
std::vector<T> column_of(const std::vector<T>& matrix, int64_t width, int64_t column) {
  std::vector<T> result;
  for (size_t at = static_cast<size_t>(column); at < matrix.size(); at += static_cast<size_t>(width))
    result.push_back(matrix[at]);
  return result;
}

TEST(Encoder, ScalesNumbersByTrainingStatisticsOnly) {
  const Table train =
      table_of({{"a", Numbers{{1, 3, nan_value, 5}}}, {"b", Numbers{{0, 0, 3, 3}}}, labels({0, 1, 1, 0})});
  const Schema schema = schema_of(R"({"columns": {
    "a": {"role": "numeric", "missing_indicator": true}, "b": {"role": "numeric", "transform": "none"}}, "tasks": {"y": {}}})");
  const Encoder encoder = Encoder::fit(train, schema);
  const EncodedData data = encoder.encode(train);
  EXPECT_EQ(data.numeric_width, 3);
  const float unit = static_cast<float>(2 / std::sqrt(8.0 / 3));
  EXPECT_THAT(column_of(data.numeric, 3, 0), ElementsAre(FloatEq(-unit), 0, 0, FloatEq(unit)));
  EXPECT_THAT(column_of(data.numeric, 3, 1), ElementsAre(0, 0, 1, 0));
  EXPECT_THAT(column_of(data.numeric, 3, 2), ElementsAre(0, 0, 3, 3));
  const Table other = table_of({{"a", Numbers{{103}}}, {"b", Numbers{{-1}}}, labels({1})});
  EXPECT_THAT(encoder.encode(other).numeric, ElementsAre(FloatEq(50 * unit), 0, -1));
  EXPECT_EQ(encoder.space().numeric[1].name, "a_missing");
}

TEST(Encoder, LogsAndBinsNumbers) {
  const Table train = table_of(
      {{"a", Numbers{{0, 10, 100, -5}}}, {"b", Numbers{{1, 2, 3, nan_value}}}, labels({0, 1, 1, 0})});
  const Encoder encoder =
      Encoder::fit(train, schema_of(R"({"columns": {"a": {"role": "numeric", "transform": "log1p"},
    "b": {"role": "numeric", "transform": "quantile", "bins": 3, "embedding": 5}}, "tasks": {"y": {}}})"));
  const EncodedData data = encoder.encode(train);
  double mean = 0, squares = 0;
  const double logs[] = {0, std::log1p(10), std::log1p(100), -std::log1p(5)};
  for (const double x : logs) mean += x / 4;
  for (const double x : logs) squares += (x - mean) * (x - mean) / 4;
  for (int row = 0; row < 4; ++row)
    EXPECT_FLOAT_EQ(data.numeric[row], static_cast<float>((logs[row] - mean) / std::sqrt(squares)));
  EXPECT_THAT(data.ids, ElementsAre(1u, 2u, 3u, 0u));
  EXPECT_EQ(encoder.space().tables[0].rows, 4);
  EXPECT_EQ(encoder.space().tables[0].width, 5);
  EXPECT_EQ(encoder.vocabulary(0), nullptr);
}

TEST(Encoder, EncodesCategoriesWithUnknownAndMissing) {
  const Table train = table_of(
      {{"word", Texts{{0, 0, 1, missing_code, 2}, {"x", "y", "rare"}}},
       {"id", IdValues{{uint64_t{1} << 63, 16777217, 16777216, uint64_t{1} << 63, 0}, {1, 1, 1, 1, 1}}},
       labels({0, 1, 1, 0, 1})});
  const Encoder encoder =
      Encoder::fit(train, schema_of(R"({"columns": {"word": {"role": "categorical", "embedding": 3},
    "id": {"role": "categorical", "type": "id"}}, "tasks": {"y": {}}})"));
  const EncodedData data = encoder.encode(train);
  EXPECT_EQ(data.id_columns, 2);
  EXPECT_THAT(column_of(data.ids, 2, 0), ElementsAre(2u, 2u, 4u, 1u, 3u));
  EXPECT_THAT(column_of(data.ids, 2, 1), ElementsAre(1u, 4u, 3u, 1u, 2u));
  const Table other =
      table_of({{"word", Texts{{1, missing_code}, {"x", "new"}}}, {"id", IdValues{{16777218, 1}, {1, 0}}}});
  EXPECT_THAT(encoder.encode(other, false).ids, ElementsAre(0u, 0u, 1u, 0u));
  EXPECT_EQ(encoder.space().tables[0].rows, 5);
  EXPECT_EQ(encoder.space().tables[0].width, 3);
  EXPECT_EQ(encoder.space().tables[1].width, default_embedding_width(4));
  EXPECT_TRUE(encoder.encode(other, false).labels.empty());
}

TEST(Encoder, SharesOneEmbeddingTableAmongColumns) {
  const Table train = table_of({{"item", IdValues{{5, 6, 5}, {}}},
                                {"last", IdValues{{7, 7, 7}, {}}},
                                {"history", IdLists{{0, 2, 2, 3}, {5, 9, 6}}},
                                {"hw", NumberLists{{0, 2, 2, 3}, {0.5, 2, 1}}},
                                labels({0, 1, 1})});
  const Encoder encoder = Encoder::fit(train, schema_of(R"({"columns": {
    "item": {"role": "categorical", "type": "id", "table": "items", "embedding": 8},
    "last": {"role": "categorical", "type": "id", "table": "items", "embedding": 8},
    "history": {"role": "bag", "table": "items", "embedding": 8, "pooling": "sum", "weights": "hw"}}, "tasks": {"y": {}}})"));
  ASSERT_EQ(encoder.space().tables.size(), 1u);
  EXPECT_EQ(encoder.space().tables[0].rows, 5);
  const EncodedData data = encoder.encode(train);
  // Counts over all three columns: 5 and 7 three times, 6 twice, 9 once.
  EXPECT_THAT(data.ids, ElementsAre(1u, 2u, 3u, 2u, 1u, 2u));
  ASSERT_EQ(data.bags.size(), 1u);
  EXPECT_THAT(data.bags[0].offsets, ElementsAre(0, 2, 2, 3));
  EXPECT_THAT(data.bags[0].ids, ElementsAre(1u, 4u, 3u));
  EXPECT_THAT(data.bags[0].weights, ElementsAre(0.5f, 2.0f, 1.0f));
  EXPECT_EQ(encoder.space().bags[0].pooling, "sum");
  const Table uneven = table_of({{"item", IdValues{{5}, {}}},
                                 {"last", IdValues{{7}, {}}},
                                 {"history", IdLists{{0, 2}, {5, 9}}},
                                 {"hw", NumberLists{{0, 1}, {0.5}}}});
  EXPECT_THAT(message_of([&] { encoder.encode(uneven, false); }), HasSubstr("got 1 weights for the 2 ids"));
}

TEST(Encoder, RefusesColumnsThatCannotShareATable) {
  const Table train = table_of({{"a", IdValues{{5, 6}, {}}}, {"b", IdValues{{7, 7}, {}}}, labels({0, 1})});
  EXPECT_THAT(
      message_of([&] {
        Encoder::fit(train,
                     schema_of(R"({"columns": {"a": {"role": "categorical", "type": "id", "table": "t"},
                  "b": {"role": "categorical", "table": "t"}}, "tasks": {"y": {}}})"));
      }),
      HasSubstr("columns.b.type: got text, but column \"a\" of the same embedding table \"t\" has id"));
}

TEST(Encoder, ReadsVectorsOfOneWidth) {
  const Table train = table_of({{"v", NumberLists{{0, 2, 2, 4}, {1, 10, 3, 20}}}, labels({0, 1, 1})});
  const Encoder encoder =
      Encoder::fit(train, schema_of(R"({"columns": {"v": {"role": "vector", "missing_indicator": true}},
                                                            "tasks": {"y": {}}})"));
  EXPECT_EQ(encoder.space().numeric[0].width, 2);
  EXPECT_THAT(encoder.encode(train).numeric, ElementsAre(-1, -1, 0, 0, 0, 1, 1, 1, 0));
  const Table ragged = table_of({{"v", NumberLists{{0, 2, 5}, {1, 2, 3, 4, 5}}}});
  EXPECT_THAT(message_of([&] { encoder.encode(ragged, false); }),
              HasSubstr("memory: row 2: column \"v\": got a vector of 3 numbers, expected 2"));
}

TEST(Encoder, MakesLabelsOfEveryKindWithMasksAndWeights) {
  const Table train = table_of({{"x", Numbers{{1, 2, 3, 4}}},
                                {"edu", Texts{{0, 1, 2, missing_code}, {" high ", "college", "none"}}},
                                {"age", Numbers{{20, 60, nan_value, 70}}},
                                {"money", Numbers{{0, nan_value, std::exp(1.0) - 1, std::exp(2.0) - 1}}},
                                {"grade", Texts{{0, 1, 1, 2}, {"10", "9", "n/a"}}},
                                {"w", Numbers{{1, 2, 3, 4}}},
                                {"hw", Numbers{{1, 0.5, 0.25, 1}}},
                                {"user", Texts{{0, 0, missing_code, 1}, {"u", "v"}}},
                                {"day", Numbers{{5, 6, 7, nan_value}}}});
  const Encoder encoder = Encoder::fit(train, schema_of(R"({
    "columns": {"x": "numeric", "w": "weight", "user": "group", "day": "time"},
    "tasks": {"educated": {"column": "edu", "in": ["high", "college "], "weight_column": "hw"},
              "old": {"column": "age", "at_least": 60, "weight": 0.25}, "young": {"column": "age", "below": 60},
              "over": {"column": "age", "above": 60}, "exact": {"column": "age", "equals": 60},
              "money": {"kind": "regression", "transform": "log1p"},
              "grade": {"kind": "multiclass", "null": ["n/a"], "parents": ["old"]}}})"));
  const EncodedData data = encoder.encode(train);
  ASSERT_EQ(data.tasks, 7);
  const auto labels_of = [&](int64_t task) {
    std::vector<float> result = column_of(data.labels, data.tasks, task);
    for (float& label : result) label = std::isnan(label) ? -9 : label;
    return result;
  };
  EXPECT_THAT(labels_of(0), ElementsAre(1, 1, 0, -9));
  EXPECT_THAT(labels_of(1), ElementsAre(0, 1, -9, 1));
  EXPECT_THAT(labels_of(2), ElementsAre(1, 0, -9, 0));
  EXPECT_THAT(labels_of(3), ElementsAre(0, 0, -9, 1));
  EXPECT_THAT(labels_of(4), ElementsAre(0, 1, -9, 0));
  EXPECT_THAT(labels_of(5), ElementsAre(0, -9, FloatEq(1), FloatEq(2)));
  EXPECT_THAT(labels_of(6), ElementsAre(1, 0, 0, -9));
  EXPECT_THAT(encoder.space().tasks[6].class_names, ElementsAre("9", "10"));
  EXPECT_THAT(encoder.space().tasks[6].parents, ElementsAre("old"));
  EXPECT_EQ(encoder.space().tasks[1].weight, 0.25);
  EXPECT_DOUBLE_EQ(encoder.space().tasks[0].training_mean, 2.0 / 3);
  EXPECT_NEAR(encoder.space().tasks[5].to_original(2), std::exp(2.0) - 1, 1e-12);
  EXPECT_THAT(column_of(data.weights, 7, 0), ElementsAre(1, 1, 0.75, 4));
  EXPECT_THAT(column_of(data.weights, 7, 1), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(data.groups[0], data.groups[1]);
  EXPECT_NE(data.groups[0], data.groups[3]);
  EXPECT_EQ(data.groups[2], no_group);
  EXPECT_EQ(data.time[2], 7);
  EXPECT_TRUE(std::isnan(data.time[3]));
}

TEST(Encoder, StandardisedLabelsComeBackInOriginalUnits) {
  const Table train = table_of({{"x", Numbers{{1, 2, 3}}}, labels({100, 300, 200})});
  const Encoder encoder = Encoder::fit(
      train,
      schema_of(
          R"({"columns": {"x": "numeric"}, "tasks": {"y": {"kind": "regression", "transform": "standardise"}}})"));
  const EncodedData data = encoder.encode(train);
  const double original[] = {100, 300, 200};
  for (int row = 0; row < 3; ++row) {
    EXPECT_NEAR(encoder.space().tasks[0].to_original(data.labels[row]), original[row], 1e-4);
  }
  EXPECT_NEAR(data.labels[0] + data.labels[1] + data.labels[2], 0, 1e-6);
}

TEST(Encoder, WithoutWeightsThereAreNone) {
  const Table train = table_of({{"x", Numbers{{1, 2}}}, labels({0, 1})});
  EXPECT_TRUE(Encoder::fit(train, schema_of(R"({"columns": {"x": "numeric"}, "tasks": {"y": {}}})"))
                  .encode(train)
                  .weights.empty());
}

constexpr const char* plain_schema = R"({"columns": {"x": "numeric"}, "tasks": {"y": {}}})";

std::string fit_refusal(std::vector<Column> columns, const char* schema = plain_schema) {
  return message_of([&] { Encoder::fit(table_of(std::move(columns)), schema_of(schema)); });
}

TEST(Encoder, BadTrainingDataAreErrors) {
  const Column x{"x", Numbers{{1, 2}}};
  EXPECT_THAT(fit_refusal({{"x", Numbers{{1}}}, labels({0})}),
              HasSubstr("memory: got 1 training row; expected at least 2"));
  EXPECT_THAT(fit_refusal({x, labels({nan_value, nan_value})}),
              HasSubstr("all training labels of task \"y\" are missing"));
  EXPECT_THAT(fit_refusal({x, labels({1, 1})}),
              HasSubstr("all training labels of task \"y\" are 1; expected at least two classes"));
  EXPECT_THAT(
      fit_refusal({x, labels({0, 2})}),
      HasSubstr("memory: row 2: column \"y\": 2 is outside the range of task \"y\"; expected 0 or 1"));
  EXPECT_THAT(fit_refusal({x, labels({0, infinite})}),
              HasSubstr("memory: row 2: column \"y\": the value is infinite"));
  EXPECT_THAT(fit_refusal({{"x", Numbers{{-infinite, 2}}}, labels({0, 1})}),
              HasSubstr("memory: row 1: column \"x\": the value is infinite"));
  EXPECT_THAT(fit_refusal({{"xx", Numbers{{1, 2}}}, labels({0, 1})}),
              HasSubstr("memory: there is no column \"x\". Did you mean \"xx\"?"));
  EXPECT_THAT(fit_refusal({x, labels({0, 1})}, R"({"columns": {"x": "numeric"}})"),
              HasSubstr("there is no task"));
  EXPECT_THAT(fit_refusal({x, labels({0, 1})}, R"({"columns": {"x": "ignore"}, "tasks": {"y": {}}})"),
              HasSubstr("no column is a feature"));
  EXPECT_THAT(
      fit_refusal({x, {"y", Texts{{0, 1}, {"yes", "no"}}}},
                  R"({"columns": {"x": "numeric"}, "tasks": {"y": {"equals": "yse"}}})"),
      HasSubstr(
          "all training labels of task \"y\" are 0; expected at least two classes. Did you mean \"yes\"?"));
}

TEST(Encoder, BadValuesNameTheirPlace) {
  const Column x{"x", Numbers{{1, 2}}};
  EXPECT_THAT(
      fit_refusal({x, labels({0, 3})},
                  R"({"columns": {"x": "numeric"}, "tasks": {"y": {"kind": "multiclass", "classes": 3}}})"),
      HasSubstr("row 2: column \"y\": 3 is outside the range of task \"y\"; expected a class from 0 to 2"));
  EXPECT_THAT(
      fit_refusal(
          {x, {"y", Texts{{0, 1}, {"cat", "dgo"}}}},
          R"({"columns": {"x": "numeric"}, "tasks": {"y": {"kind": "multiclass", "classes": ["cat", "dog"]}}})"),
      HasSubstr("row 2: column \"y\": \"dgo\" is no class of task \"y\". Did you mean \"dog\"?"));
  EXPECT_THAT(
      fit_refusal(
          {x, labels({-1, 3})},
          R"({"columns": {"x": "numeric"}, "tasks": {"y": {"kind": "regression", "transform": "log1p"}}})"),
      HasSubstr("row 1: column \"y\": -1 is outside the range"));
  EXPECT_THAT(fit_refusal({{"x", Texts{{0, 1}, {"1", "abc"}}}, labels({0, 1})}),
              HasSubstr("row 2: column \"x\": \"abc\" is not a number"));
  EXPECT_THAT(fit_refusal({{"x", Numbers{{1, 2}}}, labels({0, 1})},
                          R"({"columns": {"x": {"role": "categorical", "type": "id"}}, "tasks": {"y": {}}})"),
              HasSubstr("column \"x\" holds numbers; expected ids; ids never pass through floating point"));
  const Encoder encoder = Encoder::fit(
      table_of({x, labels({0, 1})}),
      schema_of(R"({"columns": {"x": {"role": "numeric", "transform": "none"}}, "tasks": {"y": {}}})"));
  EXPECT_THAT(message_of([&] {
                encoder.encode(table_of({{"x", Numbers{{1e300}}}}), false);
              }),
              HasSubstr("no 32-bit number holds"));
  const char* weighted = R"({"columns": {"x": "numeric", "w": "weight"}, "tasks": {"y": {}}})";
  const Encoder with_weights =
      Encoder::fit(table_of({x, {"w", Numbers{{1, 1}}}, labels({0, 1})}), schema_of(weighted));
  const auto weigh = [&](double weight) {
    return message_of([&] {
      with_weights.encode(table_of({x, {"w", Numbers{{1, weight}}}, labels({0, 1})}));
    });
  };
  EXPECT_THAT(weigh(-1), HasSubstr("row 2: column \"w\": got -1.000000 as weight"));
  EXPECT_THAT(weigh(nan_value), HasSubstr("row 2: column \"w\": got a missing value as weight"));
}

TEST(Encoder, TakesNewIdsAtTheEnd) {
  const char* schema = R"({"columns": {"id": {"role": "categorical", "type": "id"}, "word": "categorical",
                                       "x": {"role": "numeric", "transform": "quantile"}}, "tasks": {"y": {}}})";
  Encoder encoder = Encoder::fit(table_of({{"id", IdValues{{5, 6}, {}}},
                                           {"word", Texts{{0, 1}, {"a", "b"}}},
                                           {"x", Numbers{{1, 2}}},
                                           labels({0, 1})}),
                                 schema_of(schema));
  const Table later = table_of({{"id", IdValues{{6, 8}, {}}},
                                {"word", Texts{{0, 0}, {"b", "c"}}},
                                {"x", Numbers{{1, 2}}},
                                labels({0, 1})});
  EXPECT_THAT(encoder.encode(later).ids, ElementsAre(2u, 2u, 1u, 0u, 2u, 2u));
  EXPECT_THAT(encoder.extend(later), ElementsAre(1, 0, 0));
  EXPECT_THAT(encoder.encode(later).ids, ElementsAre(2u, 2u, 1u, 3u, 2u, 2u));
  EXPECT_EQ(encoder.space().tables[0].rows, 4);
}

TEST(Encoder, SurvivesBeingWritten) {
  const Table train = table_of({{"x", Numbers{{0.1, 3, nan_value, 5}}},
                                {"q", Numbers{{1, 2, 3, 4}}},
                                {"word", Texts{{0, 1, 0, missing_code}, {"a\n", "b"}}},
                                {"h", IdValues{{1, 2, 3, 4}, {}}},
                                {"bag", IdLists{{0, 1, 1, 2, 3}, {1, 2, uint64_t{1} << 63}}},
                                {"v", NumberLists{{0, 2, 4, 6, 8}, {1, 2, 3, 4, 5, 6, 7, 8}}},
                                labels({0, 1, 1, 0}),
                                {"z", Numbers{{1.5, 2, 3, 4}}}});
  const Encoder encoder = Encoder::fit(
      train,
      schema_of(R"({"columns": {"x": "numeric", "q": {"role": "numeric", "transform": "quantile", "bins": 3},
    "word": "categorical", "h": {"role": "categorical", "type": "id", "hash_buckets": 7, "hash_seed": 3}, "bag": "bag", "v": "vector"},
    "tasks": {"y": {}, "z": {"kind": "regression", "transform": "standardise"}}})"));
  const Json json = Json::parse(encoder.to_json().dump());
  const Encoder copy = Encoder::from_json(json, encoder.vocabularies());
  const EncodedData first = encoder.encode(train), second = copy.encode(train);
  EXPECT_EQ(first.numeric, second.numeric);
  EXPECT_EQ(first.ids, second.ids);
  EXPECT_EQ(first.bags[0].ids, second.bags[0].ids);
  EXPECT_EQ(first.labels, second.labels);
  EXPECT_EQ(copy.to_json(), encoder.to_json());
  EXPECT_EQ(copy.vocabularies(), encoder.vocabularies());
  EXPECT_THAT(message_of([&] { Encoder::from_json(json, {}); }),
              HasSubstr("vocabulary of \"word\": the vocabulary is damaged"));
  EXPECT_THAT(message_of([&] { Encoder::from_json(Json::object(), {}); }),
              HasSubstr("encoder: the description is damaged"));
}

TEST(Encoder, CsvFaultsNameFileAndLineAfterReading) {
  const Folder folder;
  const std::string file = folder.write("train.csv", "x,y\n1,0\n\n2,1\ninf,0\n3,7\n");
  const Schema schema = schema_of(plain_schema);
  ReadOptions options;
  options.columns = schema.requests(true);
  const Table table = read_table({file}, options);
  EXPECT_THAT(message_of([&] { Encoder::fit(table, schema); }),
              HasSubstr("train.csv:5: column \"x\": the value is infinite"));
  EXPECT_THAT(message_of([&] {
                Encoder::fit(table.select({0, 1, 3}), schema);
              }),
              HasSubstr("train.csv:6: column \"y\": 7 is outside the range"));
}

TEST(Encoder, ReadsLabelsInEverySpelling) {
  const Schema schema = schema_of(R"({"columns": {"a": {"role": "numeric", "transform": "none"}},
    "tasks": {"y": {"equals": "false"}, "c": {"kind": "multiclass"}}})");
  const Table train = table_of({{"a", Numbers{{1, 2, 3}}},
                                {"y", Texts{{0, 1, 0}, {"true", "false"}}},
                                {"c", Texts{{0, 1, 2}, {"1", "0.0", "1.0"}}}});
  const Encoder encoder = Encoder::fit(train, schema);
  EXPECT_THAT(encoder.space().tasks[1].class_names, ElementsAre("0.0", "1"));
  EXPECT_THAT(encoder.encode(train).labels, ElementsAre(0, 1, 1, 0, 0, 1));
  const Table other = table_of(
      {{"a", Numbers{{1, 2}}}, {"y", Texts{{0, 1}, {"False", "TRUE"}}}, {"c", Texts{{0, 1}, {"0", "1.0"}}}});
  const EncodedData encoded = encoder.encode(other);
  EXPECT_THAT(encoded.labels, ElementsAre(1, 0, 0, 1));
  EXPECT_TRUE(warnings_of_labels(encoder.schema(), encoded).empty());
  const Table without = table_of({{"a", Numbers{{1}}}, {"y", Texts{{0}, {"no"}}}, {"c", Texts{{0}, {"0"}}}});
  EXPECT_THAT(warnings_of_labels(encoder.schema(), encoder.encode(without)),
              ElementsAre(HasSubstr("no row has the text \"false\" in column \"y\"")));
}

TEST(Encoder, KeepsMissingGroupsApartFromGroupZero) {
  const Table train =
      table_of({{"a", Numbers{{1, 2, 3}}}, {"user", IdValues{{0, 0, 7}, {1, 0, 1}}}, labels({0, 1, 1})});
  const Encoder encoder = Encoder::fit(train, schema_of(R"({"columns": {"a": "numeric",
    "user": {"role": "group", "type": "id"}}, "tasks": {"y": {}}})"));
  EXPECT_THAT(encoder.encode(train).groups, ElementsAre(0u, no_group, 7u));
}

TEST(Encoder, ChecksTheLabelsOfRowsThatHaveAWeight) {
  const auto fit = [](std::vector<double> all, std::vector<double> own) {
    const Table train = table_of({{"a", Numbers{{1, 2, 3}}},
                                  {"w", Numbers{std::move(all)}},
                                  {"v", Numbers{std::move(own)}},
                                  labels({0, 1, 1})});
    Encoder::fit(train, schema_of(R"({"columns": {"a": "numeric", "w": "weight"},
      "tasks": {"y": {"weight_column": "v"}}})"));
  };
  EXPECT_NO_THROW(fit({1, 0, 1}, {1, 0, 1}));
  EXPECT_THAT(message_of([&] {
                fit({0, 0, 0}, {1, 1, 1});
              }),
              HasSubstr("no row with a label of task \"y\" has a weight above 0"));
  EXPECT_THAT(message_of([&] {
                fit({1, 0, 1}, {1, 1, 0});
              }),
              HasSubstr("all training labels of task \"y\" in rows of a weight above 0 are 0"));
}

}  // namespace
}  // namespace gatewise

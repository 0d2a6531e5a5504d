#include "features/schema.h"

#include "features/feature_space.h"
#include "features/scaling.h"
#include "features/vocabulary.h"
#include "tests/features/schema_of.h"
#include "tests/table/files.h"

namespace gatewise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal(const char* text) {
  return message_of([&] { schema_of(text); });
}

TEST(Schema, ReadsRolesInShortAndLongForm) {
  const Schema schema = schema_of(R"({
    "data": {"train": "a.csv", "test": ["b.csv", "c.csv"], "null": ["", "?"], "skip_rows": {"test": 1}},
    "columns": {"default": "ignore", "embedding": 4, "age": "numeric",
                "wage": {"role": "numeric", "transform": "quantile", "bins": 8, "missing_indicator": true},
                "item": {"role": "categorical", "type": "id", "table": "items", "min_count": 2, "null": "NA"},
                "history": {"role": "bag", "table": "items", "pooling": "sum", "weights": "history_weights"},
                "v": {"role": "vector", "width": 3}, "user": "group", "day": "time", "w": "weight",
                "click": "label", "spent": {"role": "label", "kind": "regression", "transform": "log1p"}},
    "tasks": {"buy": {"column": "amount", "above": 0, "parents": []}}})");
  EXPECT_FALSE(schema.completes_columns);
  EXPECT_EQ(schema.embedding, 4);
  EXPECT_THAT(schema.data.train, ElementsAre("a.csv"));
  EXPECT_EQ(schema.data.read_options(Part::Test).skip_rows, 1);
  EXPECT_EQ(schema.data.read_options(Part::Train).skip_rows, 0);
  EXPECT_EQ(schema.find_column("wage")->bins, 8);
  EXPECT_EQ(schema.find_column("history")->type, "id");
  EXPECT_EQ(schema.find_column("user")->role, Role::Group);
  ASSERT_EQ(schema.tasks.size(), 3u);
  EXPECT_EQ(schema.tasks[0].column, "amount");
  EXPECT_EQ(schema.tasks[1].name, "click");
  EXPECT_EQ(schema.tasks[2].transform, "log1p");
  EXPECT_TRUE(schema.is_used_elsewhere("history_weights") && schema.is_used_elsewhere("amount"));
  EXPECT_FALSE(schema.is_used_elsewhere("age"));
}

TEST(Schema, WritesWhatItReads) {
  const Schema schema =
      schema_of(R"({"columns": {"age": {"role": "numeric", "null": ["NA"]}, "c": "categorical"},
      "split": {"kind": "fraction", "of": "test", "fractions": {"validation": 0.5, "test": 0.5}, "seed": 3},
      "tasks": {"y": {"in": ["a", "b"], "column": "c", "null": ["?"]}, "z": {"kind": "multiclass", "classes": 3}}})");
  EXPECT_EQ(Schema::from_json(schema.to_json()).to_json(), schema.to_json());
}

TEST(Schema, ColumnsMayBeCalledDefaultOrEmbedding) {
  const Schema schema = schema_of(R"({"columns": {"default": "label", "embedding": "vector"}})");
  EXPECT_TRUE(schema.completes_columns);
  EXPECT_EQ(schema.tasks[0].name, "default");
  EXPECT_EQ(schema.find_column("embedding")->role, Role::Vector);
}

TEST(Schema, RequestsExplicitTypes) {
  const Schema schema = schema_of(R"({
    "columns": {"age": "numeric", "job": "categorical", "user": {"role": "categorical", "type": "id"},
                "edu": "categorical", "tags": {"role": "bag", "type": "text", "separator": ";", "weights": "tw"},
                "day": "time", "w": "weight"},
    "tasks": {"rich": {"column": "income", "equals": "50000+."}, "old": {"column": "age", "at_least": 60},
              "high": {"column": "edu", "at_least": 10, "weight_column": "hw"}},
    "split": {"kind": "column", "column": "fold", "values": {"train": [1]}}})");
  std::map<std::string, ColumnType> types;
  for (const ColumnRequest& request : schema.requests(true)) types[request.name] = request.type;
  EXPECT_EQ(types, (std::map<std::string, ColumnType>{{"age", ColumnType::Number},
                                                      {"job", ColumnType::Text},
                                                      {"user", ColumnType::Id},
                                                      {"edu", ColumnType::Text},
                                                      {"tags", ColumnType::TextList},
                                                      {"tw", ColumnType::NumberList},
                                                      {"w", ColumnType::Number},
                                                      {"income", ColumnType::Text},
                                                      {"hw", ColumnType::Number},
                                                      {"fold", ColumnType::Text}}));
  std::vector<std::string> features;
  for (const ColumnRequest& request : schema.requests(false)) features.push_back(request.name);
  EXPECT_THAT(features, ElementsAre("age", "job", "user", "edu", "tags", "tw"));
}

TEST(Schema, RequestsTheTimeForASplitByItAlone) {
  const auto names = [](const Json& split) {
    const Schema schema = Schema::from_json(
        {{"columns", {{"day", "time"}}}, {"tasks", {{"y", Json::object()}}}, {"split", split}});
    std::vector<std::string> found;
    for (const ColumnRequest& request : schema.requests(true)) found.push_back(request.name);
    return found;
  };
  const Json by_time{{"kind", "time"}, {"fractions", {{"train", 0.5}, {"test", 0.5}}}};
  EXPECT_THAT(names(by_time), ElementsAre("day", "y"));
  EXPECT_THAT(names(Json::object()), ElementsAre("y"));
}

TEST(Schema, TakesAnEscapedTabForTheDelimiter) {
  EXPECT_EQ(schema_of(R"({"data": {"delimiter": "\\t"}})").data.delimiter, "\t");
}

TEST(Schema, RefusesNonsenseWithTheNearestName) {
  EXPECT_THAT(refusal(R"({"data": {"trian": "a"}})"),
              HasSubstr("data: unknown option \"trian\". Did you mean \"train\""));
  EXPECT_THAT(refusal(R"({"data": {"delimiter": ",,"}})"),
              HasSubstr("data.delimiter: got \",,\", expected one character"));
  EXPECT_THAT(refusal(R"({"data": {"skip_rows": -1}})"), HasSubstr("data.skip_rows: got -1"));
  EXPECT_THAT(refusal(R"({"columns": {"a": "numerical"}})"),
              HasSubstr("columns.a.role: unknown role \"numerical\". Did you mean \"numeric\"?"));
  EXPECT_THAT(refusal(R"({"columns": {"a": {"bins": 3}}})"), HasSubstr("columns.a: the role is missing"));
  EXPECT_THAT(refusal(R"({"columns": {"a": {"role": "categorical", "bins": 3}}})"),
              HasSubstr("columns.a: unknown option \"bins\""));
  EXPECT_THAT(refusal(R"({"columns": {"a": {"role": "vector", "transform": "quantile"}}})"),
              HasSubstr("columns.a.transform"));
  EXPECT_THAT(refusal(R"({"columns": {"a": {"role": "numeric", "null": [1]}}})"),
              HasSubstr("columns.a.null: got [1]"));
  EXPECT_THAT(refusal(R"({"columns": {"a": {"role": "categorical", "hash_buckets": 5, "min_count": 2}}})"),
              HasSubstr("both"));
  EXPECT_THAT(refusal(R"({"tasks": {"y": {"equals": 1, "above": 2}}})"),
              HasSubstr("tasks.y: got equals and above"));
  EXPECT_THAT(refusal(R"({"tasks": {"y": {"kind": "regression", "above": 2}}})"),
              HasSubstr("comparisons make binary labels"));
  EXPECT_THAT(refusal(R"({"tasks": {"y": {"in": []}}})"), HasSubstr("tasks.y.in: got []"));
  EXPECT_THAT(refusal(R"({"tasks": {"y": {"in": ["a", 1]}}})"), HasSubstr("tasks.y.in"));
  EXPECT_THAT(refusal(R"({"tasks": {"y": {"above": "x"}}})"),
              HasSubstr("tasks.y.above: got \"x\", expected a number"));
  EXPECT_THAT(refusal(R"({"tasks": {"y": {"kind": "multiclass", "classes": 1}}})"),
              HasSubstr("tasks.y.classes: got 1"));
  EXPECT_THAT(refusal(R"({"tasks": {"y": {"classes": 3}}})"),
              HasSubstr("only multiclass tasks have classes"));
  EXPECT_THAT(refusal(R"({"tasks": {"y": {"transform": "log1p"}}})"),
              HasSubstr("only regression labels are transformed"));
  EXPECT_THAT(refusal(R"({"tasks": {"y": {"parents": ["click"]}, "click": {}}})"),
              HasSubstr("tasks.y.parents: \"click\""));
  EXPECT_THAT(refusal(R"({"columns": {"y": "label"}, "tasks": {"y": {}}})"), HasSubstr("given twice"));
  EXPECT_THAT(refusal(R"({"split": {"kind": "fraction", "fractions": {"train": 0.5}}})"),
              HasSubstr("sum of 0.5, expected 1"));
  EXPECT_THAT(refusal(R"({"split": {"kind": "fraction", "fractions": {"tain": 1}}})"),
              HasSubstr("Did you mean \"train\""));
  EXPECT_THAT(refusal(R"({"split": {"kind": "column"}})"), HasSubstr("needs column and values"));
  EXPECT_THAT(refusal(R"({"split": {"kind": "time", "from": {"test": "soon"}}})"),
              HasSubstr("split.from.test: got \"soon\""));
}

TEST(Scaling, StandardisesLogsAndBins) {
  const std::vector<double> values{1, 2, std::nan(""), 3, 4};
  const Scaling standard = Scaling::fit(values, "standardise", 0, true);
  EXPECT_DOUBLE_EQ(standard.mean(), 2.5);
  EXPECT_DOUBLE_EQ(standard.scale(), std::sqrt(1.25));
  EXPECT_DOUBLE_EQ(standard.invert(standard.apply(7)), 7);
  const Scaling logs = Scaling::fit(values, "log1p", 0, false);
  EXPECT_DOUBLE_EQ(logs.apply(3), std::log(4.0));
  EXPECT_DOUBLE_EQ(logs.apply(-3), -std::log(4.0));
  EXPECT_DOUBLE_EQ(logs.invert(logs.apply(123)), 123);
  const Scaling bins = Scaling::fit(values, "quantile", 4, true);
  EXPECT_THAT(bins.edges(), ElementsAre(2, 3, 4));
  EXPECT_EQ(bins.bin(-10), 0);
  EXPECT_EQ(bins.bin(2), 1);
  EXPECT_EQ(bins.bin(99), 3);
  const Scaling constant = Scaling::fit(std::vector<double>(7, 0.1), "standardise", 0, true);
  EXPECT_EQ(constant.scale(), 1);
  EXPECT_EQ(Scaling::from_json(bins.to_json()).edges(), bins.edges());
}

TEST(Vocabulary, OrdersLevelsByFrequencyAndDropsRareOnes) {
  Vocabulary vocabulary(false, 2, 0, 0);
  vocabulary.count("b", 2);
  vocabulary.count("rare", 1);
  vocabulary.count("c", 5);
  vocabulary.count("a", 2);
  EXPECT_EQ(vocabulary.admit(), 3);
  EXPECT_EQ(vocabulary.rows(), 4);
  EXPECT_EQ(vocabulary.find("c"), 1u);
  EXPECT_EQ(vocabulary.find("a"), 2u);
  EXPECT_EQ(vocabulary.find("b"), 3u);
  EXPECT_EQ(vocabulary.find("rare"), 0u);
  EXPECT_EQ(vocabulary.missing_index(), 0u);
  EXPECT_EQ(vocabulary.level_name(1), "c");
}

TEST(Vocabulary, GivesMissingAnIndexWhenTrainingHadIt) {
  Vocabulary vocabulary(true, 1, 0, 0);
  vocabulary.count(uint64_t{1} << 63);
  vocabulary.count_missing();
  vocabulary.admit();
  EXPECT_EQ(vocabulary.missing_index(), 1u);
  EXPECT_EQ(vocabulary.find(uint64_t{1} << 63), 2u);
  EXPECT_EQ(vocabulary.level_name(2), "9223372036854775808");
}

TEST(Vocabulary, AdmitsNewLevelsAtTheEnd) {
  Vocabulary vocabulary(true, 1, 0, 0);
  for (const uint64_t id : {7u, 7u, 5u}) vocabulary.count(id);
  vocabulary.admit();
  for (const uint64_t id : {5u, 9u, 9u, 3u}) vocabulary.count(id);
  vocabulary.count_missing();
  EXPECT_EQ(vocabulary.admit(), 2);
  EXPECT_EQ(vocabulary.find(7), 1u);
  EXPECT_EQ(vocabulary.find(5), 2u);
  EXPECT_EQ(vocabulary.find(9), 3u);
  EXPECT_EQ(vocabulary.find(3), 4u);
  EXPECT_EQ(vocabulary.missing_index(), 0u);
}

TEST(Vocabulary, HashesIntoBucketsWithItsSeed) {
  Vocabulary vocabulary(false, 1, 16, 5), other(false, 1, 16, 6);
  int different = 0;
  for (int i = 0; i < 100; ++i) {
    const uint32_t index = vocabulary.find(std::to_string(i));
    EXPECT_GE(index, 1u);
    EXPECT_LE(index, 16u);
    different += index != other.find(std::to_string(i));
  }
  EXPECT_GT(different, 80);
  EXPECT_EQ(vocabulary.rows(), 17);
  // fnv1a64 of "a" is af63dc4c8601ec8c: the recorded function, worked out by hand.
  const auto mix = [](uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  };
  EXPECT_EQ(vocabulary.find("a"), 1 + mix(0xaf63dc4c8601ec8cu ^ mix(5)) % 16);
  EXPECT_EQ(vocabulary.to_json()["hash"], "fnv1a64+splitmix64");
}

TEST(Vocabulary, SurvivesBeingWritten) {
  Vocabulary vocabulary(false, 1, 0, 0);
  for (const char* text : {"a", "line\nbreak", "back\\slash", "carriage\r", "\\n"}) vocabulary.count(text, 1);
  vocabulary.count_missing();
  vocabulary.admit();
  const Vocabulary copy = Vocabulary::from_json(vocabulary.to_json(), vocabulary.content(), "v");
  EXPECT_EQ(copy.rows(), vocabulary.rows());
  for (int64_t index = 0; index < copy.rows(); ++index)
    EXPECT_EQ(copy.level_name(index), vocabulary.level_name(index));
  EXPECT_EQ(copy.find("line\nbreak"), vocabulary.find("line\nbreak"));
  EXPECT_THAT(message_of([&] { Vocabulary::from_json(vocabulary.to_json(), "a\n", "v"); }),
              HasSubstr("v: the vocabulary is damaged; got 1 levels, expected 5"));
}

TEST(FeatureSpace, DefaultEmbeddingWidthFollowsItsRule) {
  EXPECT_EQ(default_embedding_width(1), 2);
  EXPECT_EQ(default_embedding_width(16), 4);
  EXPECT_EQ(default_embedding_width(17), 5);
  EXPECT_EQ(default_embedding_width(100000000), 64);
}

TEST(Schema, RefusesOptionsThatTheKindOfSplitDoesNotHave) {
  const std::pair<const char*, const char*> splits[] = {
      {R"({"fractions": {"train": 0.8, "test": 0.2}})",
       "split.fractions: only a split of kind \"fraction\" or "
       "\"time\" has this option; got kind = \"files\""},
      {R"({"of": "test"})", "split.of"},
      {R"({"by": "user"})", "split.by"},
      {R"({"kind": "fraction", "fractions": {"train": 1}, "column": "day"})", "split.column"},
      {R"({"kind": "fraction", "fractions": {"train": 1}, "from": {"test": 3}})", "split.from"},
      {R"({"kind": "time", "fractions": {"train": 1}, "values": {"test": [3]}})", "split.values"}};
  for (const auto& [split, message] : splits)
    EXPECT_THAT(refusal((R"({"split": )" + std::string(split) + "}").c_str()), HasSubstr(message));
}

TEST(Schema, RefusesALabelAmongTheFeatures) {
  EXPECT_THAT(refusal(R"({"columns": {"y": "numeric"}, "tasks": {"y": {}}})"),
              HasSubstr("columns.y: the column is the label of tasks.y and has the role \"numeric\""));
  EXPECT_THAT(
      refusal(R"({"columns": {"y": "categorical"}, "tasks": {"z": {"kind": "multiclass", "column": "y"}}})"),
      HasSubstr("tasks.z"));
  const Schema compared =
      schema_of(R"({"columns": {"age": "numeric"}, "tasks": {"old": {"column": "age", "above": 60}}})");
  EXPECT_THAT(compared.warnings(),
              ElementsAre(HasSubstr("column \"age\" is a feature, and the label of task \"old\"")));
  EXPECT_THAT(schema_of(R"({"columns": {"y": "group", "x": "numeric"}, "tasks": {"y": {}}})").warnings(),
              testing::IsEmpty());
}

TEST(Schema, RefusesAClassThatIsListedTwice) {
  EXPECT_THAT(refusal(R"({"tasks": {"y": {"kind": "multiclass", "classes": ["a", "b", "a "]}}})"),
              HasSubstr("tasks.y.classes: \"a \" is listed twice"));
}

}  // namespace
}  // namespace gatewise

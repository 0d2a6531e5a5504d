#include "features/split.h"

#include "features/column_views.h"
#include "tests/table/files.h"

namespace gatewise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Schema schema_of(const Json& json) { return Schema::from_json(json); }

std::vector<double> numbers_in(const Table& table, const std::string& column) {
  return numbers_of(table, column)->values;
}

std::string rows_file(const Folder& folder, const std::string& name, int rows) {
  std::string text = "x,y,fold,day\n";
  for (int i = 0; i < rows; ++i) {
    text += fmt::format("{},{},{},2020-01-{:02}\n", i, i % 2, i % 3, 1 + i * 30 / rows);
  }
  return folder.write(name, text);
}

Json base(const std::string& train) {
  return {{"data", {{"train", train}}},
          {"columns", {{"default", "ignore"}, {"x", "numeric"}}},
          {"tasks", {{"y", Json::object()}}}};
}

TEST(Split, FilesKeepTheirParts) {
  const Folder folder;
  Json json = base(rows_file(folder, "a.csv", 4));
  json["data"]["test"] = rows_file(folder, "b.csv", 2);
  const Parts parts = load_parts(schema_of(json));
  EXPECT_EQ(parts.train.rows(), 4);
  EXPECT_FALSE(parts.validation);
  EXPECT_EQ(parts.test->rows(), 2);
}

TEST(Split, HalvesTheTestPartByHashOfRowAndSeed) {
  const Folder folder;
  Json json = base(rows_file(folder, "a.csv", 10));
  json["data"]["test"] = rows_file(folder, "b.csv", 20000);
  json["split"] = {
      {"kind", "fraction"}, {"of", "test"}, {"fractions", {{"validation", 0.5}, {"test", 0.5}}}, {"seed", 7}};
  const Parts parts = load_parts(schema_of(json));
  EXPECT_EQ(parts.train.rows(), 10);
  EXPECT_EQ(parts.validation->rows() + parts.test->rows(), 20000);
  EXPECT_NEAR(static_cast<double>(parts.test->rows()), 10000, 300);
  EXPECT_EQ(numbers_in(*load_parts(schema_of(json)).test, "x"), numbers_in(*parts.test, "x"));
  std::vector<double> all = numbers_in(*parts.validation, "x");
  for (const double x : numbers_in(*parts.test, "x")) all.push_back(x);
  std::sort(all.begin(), all.end());
  for (int i = 0; i < 20000; ++i) ASSERT_EQ(all[i], i);
  json["split"]["seed"] = 8;
  EXPECT_NE(numbers_in(*load_parts(schema_of(json)).test, "x"), numbers_in(*parts.test, "x"));
  const double last = numbers_in(*parts.test, "x").back();
  EXPECT_EQ(parts.test->place(parts.test->rows() - 1), folder.file("b.csv") + fmt::format(":{}", last + 2));
}

TEST(Split, FractionsMayKeepGroupsTogether) {
  Texts users;
  for (uint32_t user = 0; user < 200; ++user) users.levels.push_back("user" + std::to_string(user));
  for (uint32_t row = 0; row < 4000; ++row) users.codes.push_back(row * 7 % 200);
  const Table grouped = Table::from_columns("memory", {{"user", users}});
  SplitSpec split;
  split.kind = "fraction";
  split.fractions = {{"train", 0.5}, {"test", 0.5}};
  split.by = "user";
  const std::vector<Part> parts = assign_parts(grouped, split);
  int trained = 0;
  for (size_t row = 0; row < parts.size(); ++row) {
    EXPECT_EQ(parts[row], parts[row % 200]);
    trained += parts[row] == Part::Train;
  }
  EXPECT_NEAR(trained / 4000.0, 0.5, 0.15);
}

TEST(Split, ByColumn) {
  const Folder folder;
  Json json = base(rows_file(folder, "a.csv", 9));
  json["split"] = {{"kind", "column"},
                   {"column", "fold"},
                   {"values", {{"train", {0}}, {"validation", {"1"}}, {"test", {2}}}}};
  const Parts parts = load_parts(schema_of(json));
  EXPECT_THAT(numbers_in(parts.train, "x"), ElementsAre(0, 3, 6));
  EXPECT_THAT(numbers_in(*parts.validation, "x"), ElementsAre(1, 4, 7));
  EXPECT_THAT(numbers_in(*parts.test, "x"), ElementsAre(2, 5, 8));
  json["split"]["values"] = {{"train", {0}}, {"test", {2}}};
  EXPECT_THAT(message_of([&] { load_parts(schema_of(json)); }),
              HasSubstr("a.csv:3: column \"fold\": \"1\" is in no part"));
}

TEST(Split, ByTimeTakesEarlierRowsForTraining) {
  const Folder folder;
  Json json = base(rows_file(folder, "a.csv", 30));
  json["columns"]["day"] = "time";
  json["split"] = {{"kind", "time"}, {"from", {{"validation", "2020-01-11"}, {"test", "2020-01-21"}}}};
  const Parts moments = load_parts(schema_of(json));
  EXPECT_EQ(moments.train.rows(), 10);
  EXPECT_EQ(numbers_in(*moments.validation, "x").front(), 10);
  EXPECT_EQ(numbers_in(*moments.test, "x").front(), 20);
  json["split"] = {{"kind", "time"}, {"column", "day"}, {"fractions", {{"train", 0.5}, {"test", 0.5}}}};
  const Parts fractions = load_parts(schema_of(json));
  EXPECT_EQ(fractions.train.rows(), 15);
  EXPECT_FALSE(fractions.validation);
  EXPECT_EQ(numbers_in(*fractions.test, "x").front(), 15);
}

TEST(Split, EqualTimesStayTogether) {
  SplitSpec split;
  split.kind = "time";
  split.column = "t";
  split.fractions = {{"train", 0.5}, {"test", 0.5}};
  const Table table = Table::from_columns("memory", {{"t", Numbers{{3, 1, 2, 2, 2, 9}}}});
  EXPECT_THAT(assign_parts(table, split),
              ElementsAre(Part::Test, Part::Train, Part::Test, Part::Test, Part::Test, Part::Test));
  const Table missing = Table::from_columns("memory", {{"t", Numbers{{3, std::nan("")}}}});
  EXPECT_THAT(message_of([&] { assign_parts(missing, split); }),
              HasSubstr("memory: row 2: column \"t\": the time is missing"));
}

TEST(Split, ContradictionsAreErrors) {
  const Folder folder;
  Json json = base(rows_file(folder, "a.csv", 3));
  json["data"]["test"] = folder.file("a.csv");
  json["split"] = {{"kind", "fraction"}, {"fractions", {{"train", 0.5}, {"test", 0.5}}}};
  EXPECT_THAT(message_of([&] { load_parts(schema_of(json)); }),
              HasSubstr("data.test: the part has files of its own"));
  json["split"] = {{"kind", "fraction"}, {"of", "validation"}, {"fractions", {{"validation", 1.0}}}};
  EXPECT_THAT(message_of([&] { load_parts(schema_of(json)); }),
              HasSubstr("data.validation: no file is named"));
  json["data"].erase("test");
  json["split"] = {{"kind", "fraction"}, {"fractions", {{"train", 0.999999}, {"test", 0.000001}}}};
  EXPECT_THAT(message_of([&] { load_parts(schema_of(json)); }),
              HasSubstr("gives no row to the part test; got 3 rows"));
  json["split"] = {{"kind", "time"}, {"fractions", {{"train", 0.5}, {"test", 0.5}}}};
  EXPECT_THAT(message_of([&] { load_parts(schema_of(json)); }),
              HasSubstr("split.column: a split by time needs a column"));
  EXPECT_THAT(message_of([&] { load_parts(schema_of(Json::object())); }),
              HasSubstr("data.train: no training file is named"));
}

}  // namespace
}  // namespace gatewise

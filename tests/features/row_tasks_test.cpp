// Rows that belong to one task each.
#include "features/row_tasks.h"

#include "base/error.h"
#include "features/encoder.h"
#include "tests/base/message_of.h"
#include "tests/features/schema_of.h"

namespace gatewise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double no_label = std::numeric_limits<double>::quiet_NaN();

// Rows of the tasks 10, 9, a.. as `domain` has them; the label column "y" is shared.
Table domain_table(std::vector<std::string> levels, std::vector<uint32_t> codes, std::vector<double> y) {
  const auto rows = static_cast<double>(y.size());
  Numbers x, w;
  for (double row = 0; row < rows; ++row) {
    x.values.push_back(row);
    w.values.push_back(1 + row);
  }
  return Table::from_columns("memory", {{"x", x},
                                        {"w", w},
                                        {"domain", Texts{std::move(codes), std::move(levels)}},
                                        {"y", Numbers{std::move(y)}}});
}

Table three_domains() {
  return domain_table({"10", "9", "old"}, {0, 1, 2, 1, 0, 2, 0}, {0, 5, 1, 7, 1, 0, no_label});
}

constexpr const char* named_tasks = R"({"columns": {"x": "numeric", "domain": "task"}, "tasks": {
  "old": {"column": "y"}, "10": {"column": "y", "weight_column": "w"}, "9": {"column": "y", "above": 6}}})";

TEST(RowTasks, ARowHasOnlyTheLabelAndTheWeightOfItsTask) {
  const Encoder encoder = Encoder::fit(three_domains(), schema_of(named_tasks));
  ASSERT_TRUE(encoder.space().has_own_labels());
  EXPECT_EQ(encoder.space().task_column, "domain");
  const EncodedData data = encoder.encode(three_domains());
  EXPECT_THAT(data.row_task, ElementsAre(1, 2, 0, 2, 1, 0, 1));
  EXPECT_EQ(data.tasks, 1);
  ASSERT_EQ(data.labels.size(), 7u);
  EXPECT_THAT(std::vector<float>(data.labels.begin(), data.labels.begin() + 6),
              ElementsAre(0, 0, 1, 1, 1, 0));
  EXPECT_TRUE(std::isnan(data.labels[6]));
  EXPECT_THAT(data.weights, ElementsAre(1, 1, 1, 1, 5, 1, 7));
  EXPECT_NEAR(encoder.space().tasks[1].training_mean, 0.5, 1e-12);
  const EncodedData features = encoder.encode(three_domains(), false);
  EXPECT_EQ(features.row_task, data.row_task);
  EXPECT_TRUE(features.labels.empty());
}

TEST(RowTasks, TasksOfUnlikeKindsHaveAColumnOfLabelsEach) {
  const Encoder encoder =
      Encoder::fit(three_domains(), schema_of(R"({"columns": {"x": "numeric", "domain": "task",
    "w": "weight"}, "tasks": {"old": {"column": "y"}, "10": {"column": "y"}, "9": {"column": "y", "kind": "regression",
    "transform": "standardise"}}})"));
  ASSERT_FALSE(encoder.space().has_own_labels());
  const EncodedData data = encoder.encode(three_domains());
  EXPECT_EQ(data.tasks, 3);
  for (int64_t row = 0; row < 7; ++row) {
    for (int64_t task = 0; task < 3; ++task) {
      const float label = data.labels[row * 3 + task];
      EXPECT_EQ(std::isnan(label), data.row_task[row] != task || row == 6) << row << " " << task;
    }
    EXPECT_EQ(data.weights[row * 3 + data.row_task[row]], static_cast<float>(1 + row));
  }
  EXPECT_EQ(data.labels[1 * 3 + 2], -1);  // 5 of 5 and 7, standardised
  EXPECT_EQ(data.labels[3 * 3 + 2], 1);
}

constexpr const char* template_tasks = R"({"columns": {"x": "numeric", "domain": "task"}, "tasks": {
  "*": {"column": "y", "at_least": 1, "weight": 2}}})";

TEST(RowTasks, TheTemplateMakesATaskForEveryOtherValue) {
  const Encoder encoder = Encoder::fit(three_domains().select({0, 1, 2, 3, 4, 5}), schema_of(R"({"columns":
    {"x": "numeric", "domain": "task"}, "tasks": {"old": {"column": "y"}, "*": {"column": "y", "kind": "regression"}}})"));
  ASSERT_EQ(encoder.schema().tasks.size(), 3u);
  EXPECT_EQ(encoder.schema().tasks[0].name, "old");
  EXPECT_EQ(encoder.schema().tasks[1].name, "9");  // in the order of numbers
  EXPECT_EQ(encoder.schema().tasks[2].name, "10");
  EXPECT_EQ(encoder.schema().tasks[2].kind, "regression");
  const Schema written = Schema::from_json(encoder.schema().to_json());
  EXPECT_EQ(written.to_json(), encoder.schema().to_json());
  ASSERT_TRUE(written.other_tasks.has_value());
  EXPECT_EQ(written.other_tasks->kind, "regression");
}

TEST(RowTasks, ClassesComeFromTheRowsOfTheirTasks) {
  const Table table = Table::from_columns("memory", {{"x", Numbers{{1, 2, 3, 4}}},
                                                     {"domain", Texts{{0, 0, 1, 1}, {"a", "b"}}},
                                                     {"y", Texts{{0, 1, 2, 3}, {"cat", "dog", "1", "0"}}}});
  const Encoder encoder =
      Encoder::fit(table, schema_of(R"({"columns": {"x": "numeric", "domain": "task"}, "tasks": {
    "a": {"column": "y", "kind": "multiclass"}, "b": {"column": "y"}}})"));
  EXPECT_THAT(encoder.space().tasks[0].class_names, ElementsAre("cat", "dog"));
  EXPECT_EQ(encoder.encode(table).labels[2 * 2 + 1], 1);
}

std::string domain_refusal(const std::string& schema) {
  return message_of([&] { Encoder::fit(three_domains(), schema_of(schema.c_str())); });
}

TEST(RowTasks, FaultsAreNamed) {
  const std::string columns = R"("columns": {"x": "numeric", "domain": "task"})";
  EXPECT_THAT(domain_refusal("{" + columns +
                             R"(, "tasks": {"9": {"column": "y", "above": 6}, "10": {"column": "y"}}})"),
              HasSubstr("memory: row 3: column \"domain\": no task \"old\"."));
  EXPECT_THAT(domain_refusal(R"({"columns": {"x": "numeric"}, "tasks": {"*": {"column": "y"}}})"),
              HasSubstr("tasks.*: a template makes a task for each value of a column of role \"task\""));
  EXPECT_THAT(domain_refusal("{" + columns + R"(, "tasks": {"*": {}}})"),
              HasSubstr("tasks.*.column: got none"));
  EXPECT_THAT(
      domain_refusal("{" + columns + R"(, "tasks": {"old": {"column": "y"}, "9": {"only_where": "old"}}})"),
      HasSubstr("tasks.9.only_where: rows belong to the one task that column \"domain\" names"));
  EXPECT_THAT(domain_refusal(R"({"columns": {"x": "task", "domain": "task"}, "tasks": {}})"),
              HasSubstr("2 columns have the role \"task\""));
  const Encoder encoder = Encoder::fit(three_domains(), schema_of(template_tasks));
  const auto encode_refusal = [&](const Table& table) {
    return message_of([&] { encoder.encode(table, false); });
  };
  EXPECT_THAT(encode_refusal(domain_table({"10", "odl"}, {0, 1}, {0, 1})),
              HasSubstr("row 2: column \"domain\": no task \"odl\". Did you mean \"old\"?"));
  EXPECT_THAT(encode_refusal(domain_table({"10"}, {0, missing_code}, {0, 1})),
              HasSubstr("row 2: column \"domain\": the task of the row is missing"));
  EXPECT_THAT(domain_refusal("{" + columns + R"(, "tasks": {"*": {"column": "y"}}})"),
              HasSubstr("row 2: column \"y\": 5 is outside the range of task \"10\""));
}

TEST(RowTasks, ATaskMayHaveOneRow) {
  const Table table = domain_table({"a", "b"}, {0, 0, 1}, {0, 1, 1});
  const Encoder encoder = Encoder::fit(table, schema_of(template_tasks));
  EXPECT_EQ(encoder.space().tasks.back().training_mean, 1);
}

TEST(RowTasks, TheTaskColumnIsReadForScoringToo) {
  const Schema schema = schema_of(template_tasks);
  std::vector<std::string> names;
  for (const ColumnRequest& request : schema.requests(false)) names.push_back(request.name);
  EXPECT_THAT(names, ElementsAre("x", "domain"));
  names.clear();
  for (const ColumnRequest& request : schema.requests(true)) names.push_back(request.name);
  EXPECT_THAT(names, ElementsAre("x", "domain", "y"));
}

}  // namespace
}  // namespace gatewise

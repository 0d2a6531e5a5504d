// Labels on a part of the rows: tasks with a condition.
#include "base/error.h"
#include "features/encoder.h"
#include "features/label_summary.h"
#include "tests/base/message_of.h"
#include "tests/features/schema_of.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

constexpr double unlabelled = std::numeric_limits<double>::quiet_NaN();

Table shop() {
  return Table::from_columns("memory", {{"x", Numbers{{1, 2, 3, 4, 5, 6}}},
                                        {"click", Numbers{{1, 1, 1, 0, unlabelled, 1}}},
                                        {"buy", Numbers{{1, 0, 1, 1, 0, unlabelled}}},
                                        {"price", Numbers{{10, 20, 30, 40, 50, 60}}}});
}

// Labels of a task by row.
std::vector<float> labels_of(const EncodedData& data, int64_t task) {
  std::vector<float> labels;
  for (int64_t row = 0; row < data.rows; ++row) labels.push_back(data.labels[row * data.tasks + task]);
  return labels;
}

void expect_labels(const std::vector<float>& labels, const std::vector<double>& expected) {
  ASSERT_EQ(labels.size(), expected.size());
  for (size_t row = 0; row < labels.size(); ++row) {
    EXPECT_EQ(std::isnan(labels[row]), std::isnan(expected[row])) << row;
    if (!std::isnan(expected[row])) {
      EXPECT_EQ(labels[row], expected[row]) << row;
    }
  }
}

TEST(SampleSpace, HoldsTheRowsWhereTheConditionIsOne) {
  const Encoder encoder = Encoder::fit(shop(), schema_of(R"({"columns": {"x": "numeric"}, "tasks": {
    "price": {"kind": "regression", "only_where": "buy"}, "click": {}, "buy": {"only_where": "click"}}})"));
  const EncodedData data = encoder.encode(shop());
  expect_labels(labels_of(data, 2), {1, 0, 1, unlabelled, unlabelled, unlabelled});
  // The condition counts as it is trained: row 3 was bought, but is outside the space of "buy".
  expect_labels(labels_of(data, 0), {10, unlabelled, 30, unlabelled, unlabelled, unlabelled});
  expect_labels(labels_of(data, 1), {1, 1, 1, 0, unlabelled, 1});
  EXPECT_NEAR(encoder.space().tasks[2].training_mean, 2.0 / 3, 1e-12);
  EXPECT_NEAR(encoder.space().tasks[0].training_mean, 20, 1e-12);
  const Json json = Json::parse(encoder.to_json().dump());
  const Encoder copy = Encoder::from_json(json, encoder.vocabularies());
  expect_labels(labels_of(copy.encode(shop()), 2), {1, 0, 1, unlabelled, unlabelled, unlabelled});
  EXPECT_EQ(copy.space().tasks[2].only_where, "click");
  EXPECT_EQ(summarise_labels(shop(), encoder.schema().tasks).tasks[0].present, 2);
}

TEST(SampleSpace, OlderModelsHaveNone) {
  FeatureSpace space;
  space.tasks.emplace_back().name = "click";
  Json json = space.to_json();
  json["tasks"][0].erase("only_where");
  EXPECT_EQ(FeatureSpace::from_json(json).tasks[0].only_where, "");
}

std::string space_refusal(const std::string& tasks) {
  return message_of([&] { schema_of((R"({"tasks": {)" + tasks + "}}").c_str()); });
}

TEST(SampleSpace, FaultsAreNamed) {
  EXPECT_THAT(space_refusal(R"("click": {}, "buy": {"only_where": "clik"})"),
              HasSubstr("tasks.buy.only_where: no task \"clik\". Did you mean \"click\"?"));
  EXPECT_THAT(space_refusal(R"("buy": {"only_where": "buy"})"), HasSubstr("depends on itself (buy -> buy)"));
  EXPECT_THAT(
      space_refusal(R"("a": {"only_where": "b"}, "b": {"only_where": "c"}, "c": {"only_where": "b"})"),
      HasSubstr("tasks.a.only_where: the task depends on itself"));
  EXPECT_THAT(space_refusal(R"("n": {"kind": "regression"}, "buy": {"only_where": "n"})"),
              HasSubstr("task \"n\" is regression, expected a binary task"));
  const Schema empty = schema_of(R"({"columns": {"x": "numeric"}, "tasks": {
    "never": {"column": "price", "above": 30, "only_where": "cheap"}, "cheap": {"column": "price", "below": 5}}})");
  EXPECT_THAT(message_of([&] { Encoder::fit(shop(), empty); }),
              HasSubstr("all training labels of task \"never\" where task \"cheap\" is 1 are missing"));
}

}  // namespace
}  // namespace gatewise

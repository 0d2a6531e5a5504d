// What is left of a gate without one of its experts, against the gate composed without it.
#include "diagnosis/intervention.h"

#include <gtest/gtest.h>

#include "diagnosis/effects.h"
#include "diagnosis/slices.h"
#include "tests/training/fitted.h"

namespace gatewise {
namespace {

constexpr size_t expert_count = 3;

// An mmoe whose towers are linear, so that a prediction's logit is the weighted sum of those of its experts.
Json mixture(const Json& gate) {
  return {{"type", "mmoe"},
          {"experts", expert_count},
          {"gate", gate},
          {"expert", {{"units", {6}}}},
          {"tower", {{"units", Json::array()}}}};
}

// The same model with experts 0 and 2 alone: parameters of the last stand where those of the second were.
std::vector<ValueList> without_the_second(const FeatureSpace& space, const Graph& graph,
                                          const Store<float>& store, Json model, const EncodedData& rows) {
  model["experts"] = expert_count - 1;
  const auto smaller = build_graph(space, model);
  Store<float> kept(*smaller);
  for (const std::string& path : kept.paths()) {
    std::string from = path;
    if (const size_t at = from.find("experts/1/"); at != std::string::npos) from[at + 8] = '2';
    std::vector<float> values = store.get(from);
    if (values.size() != kept.get(path).size()) {
      std::vector<float> fewer;
      for (size_t i = 0; i < values.size(); ++i) {
        if (i % expert_count != 1) fewer.push_back(values[i]);
      }
      values = fewer;
    }
    kept.set(path, values);
  }
  EXPECT_EQ(graph.probes().size(), smaller->probes().size());
  Pool pool(1);
  return predict(*smaller, kept, space, rows, pool);
}

TEST(Intervention, LeavesTheGateThatNeverSawTheExpert) {
  const FeatureSpace space = sample_space(binary_tasks);
  const EncodedData rows = sample_rows(space, 60);
  Pool pool(1);
  const std::vector<Json> gates{
      {{"type", "softmax"}},
      {{"type", "sigmoid"}},
      {{"type", "sigmoid"}, {"normalise", true}},
      {{"type", "top_k"}, {"k", 2}},
      {{"type", "top_k"}, {"k", 1}, {"per_example", false}},
      {{"type", "switch"}},
      {{"type", "noisy_top_k"}, {"k", 1}, {"initializer", "glorot_uniform"}},
      {{"type", "bias_balanced"}, {"k", 1}},
      {{"type", "bias_balanced"}, {"k", 1}, {"score", "softmax"}},
      {{"type", "bias_balanced"}, {"k", 1}, {"renormalise", true}},
      {{"type", "task_aware"}, {"k", 1}, {"form", "task_only"}},
  };
  for (const Json& gate : gates) {
    SCOPED_TRACE(gate.dump());
    const Json model = mixture(gate);
    const auto graph = build_graph(space, model);
    Store<float> store(*graph);
    store.initialise(3);
    const auto expected = without_the_second(space, *graph, store, model, rows);
    Intervention intervention(*graph, store, space, pool);
    intervention.remove(0, {1});
    const auto found = intervention.predict(rows);
    for (size_t task = 0; task < expected.size(); ++task) {
      ASSERT_EQ(found[task].size(), expected[task].size());
      for (size_t row = 0; row < expected[task].size(); ++row)
        EXPECT_NEAR(found[task][row], expected[task][row], 1e-5) << task << " " << row;
    }
  }
}

Slices sliced(const std::vector<std::string>& texts) {
  Column column;
  column.name = "by";
  Texts values;
  for (const std::string& text : texts) {
    if (text.empty()) {
      values.codes.push_back(missing_code);
      continue;
    }
    values.codes.push_back(static_cast<uint32_t>(values.levels.size()));
    values.levels.push_back(text);
  }
  column.data = values;
  return make_slices(Table::from_columns("rows", {column}), "by");
}

TEST(Slices, HoldRowsWithoutAValueApart) {
  std::vector<std::string> numbers;
  for (int i = 0; i < 16; ++i) numbers.push_back(std::to_string(i));
  numbers.emplace_back("nan");
  numbers.emplace_back("");
  const Slices quartiles = sliced(numbers);
  EXPECT_EQ(quartiles.names,
            (std::vector<std::string>{"below 4", "4 to 8", "8 to 12", "from 12", "(missing)"}));
  EXPECT_EQ(quartiles.of_row[15], 3);
  EXPECT_EQ(quartiles.of_row[16], 4);
  EXPECT_EQ(quartiles.of_row[17], 4);
  const Slices values = sliced({"Rome", "", "Oslo"});
  EXPECT_EQ(values.names, (std::vector<std::string>{"Rome", "Oslo", "(missing)"}));
  EXPECT_EQ(values.of_row, (std::vector<int>{0, 2, 1}));
  EXPECT_EQ(sliced({"Rome", "Oslo"}).names.size(), 2U);
}

TEST(Slices, ReadTheNullTokensOfTheColumn) {
  Schema schema;
  schema.columns.resize(2);
  schema.columns[0].name = "city";
  schema.columns[0].null = {"?", "none"};
  schema.columns[1].name = "town";
  EXPECT_EQ(slice_request(schema, "city").null, (std::vector<std::string>{"?", "none"}));
  EXPECT_FALSE(slice_request(schema, "town").null.has_value());
  EXPECT_FALSE(slice_request(schema, "other").null.has_value());
}

TEST(Importance, OfAColumnIsThatOfItsIndicatorToo) {
  FeatureSpace space = sample_space(binary_tasks);
  space.numeric = {{"age", 0, 1}, {"age_missing", 1, 1}, {"size", 2, 2}};
  EncodedData rows = sample_rows(space, 40);
  const auto graph = build_graph(space, mixture({{"type", "softmax"}}));
  Store<float> store(*graph);
  store.initialise(3);
  Pool pool(1);
  Scorer scorer(*graph, store, space, pool);
  const auto apart = permute_columns(scorer, space, rows, 1, 1);
  const auto joined = permute_columns(scorer, space, rows, 1, 1, {{"age_missing", "age"}});
  EXPECT_EQ(joined.size() + 1, apart.size());
  EXPECT_EQ(joined[0].column, "age");
  EXPECT_EQ(joined[1].column, "size");
  EXPECT_NE(joined[0].permuted.loss[0], apart[0].permuted.loss[0]);
}

}  // namespace
}  // namespace gatewise

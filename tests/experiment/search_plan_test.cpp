#include "experiment/search_plan.h"

#include <gmock/gmock.h>

#include "architectures/architecture.h"
#include "base/error.h"
#include "base/toml.h"
#include "configuration/configuration.h"
#include "tests/base/message_of.h"

namespace gatewise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SearchPlan plan_of(const std::string& toml) { return SearchPlan::read(parse_toml(toml, "test")); }

std::string refusal_of_search_plan(const std::string& toml) {
  return message_of([&] { plan_of(toml); });
}

std::vector<std::string> names_of(const SearchPlan& plan) {
  std::vector<std::string> names;
  for (const Dimension& dimension : plan.dimensions) names.push_back(dimension.name);
  return names;
}

TEST(SearchPlan, FindsRangesWhereverTheyStand) {
  const SearchPlan plan = plan_of(R"(
    tasks.click = { kind = "binary", weight = { min = 0.1, max = 1.0 } }
    [model]
    experts = { min = 2, max = 32, log = true }
    expert = { units = [{ min = 8, max = 64 }, { choices = [4, 8] }], dropout = { min = 0, max = 1e-1 } }
    gate = { type = { choices = ["softmax", "sigmoid"] } }
    tower.units = { search = true }
    [training.optimiser]
    rate = { min = 1e-4, max = 1e-2, log = true, start = 2e-3 }
  )");
  EXPECT_THAT(names_of(plan), ElementsAre("tasks.click.weight", "model.experts", "model.expert.units[0]",
                                          "model.expert.units[1]", "model.expert.dropout", "model.gate.type",
                                          "model.tower.units", "training.optimiser.rate"));
  using Kind = Dimension::Kind;
  std::vector<Kind> kinds;
  for (const Dimension& dimension : plan.dimensions) kinds.push_back(dimension.kind);
  EXPECT_THAT(kinds, ElementsAre(Kind::Number, Kind::Integer, Kind::Integer, Kind::Choice, Kind::Number,
                                 Kind::Choice, Kind::Integer, Kind::Number))
      << "the option's type decides, not how the ends are written";
  EXPECT_TRUE(plan.dimensions[6].is_log) << "as the option declares";
  EXPECT_FALSE(plan.is_default);
  ASSERT_TRUE(plan.first);
  EXPECT_EQ(plan.first->back(), 2e-3);

  const Json with = plan.with({0.5, 12, 33, 1, 0.05, 1, 20, 5e-3});
  EXPECT_EQ(with["tasks"]["click"]["weight"], 0.5);
  EXPECT_EQ(with["model"]["experts"], 12);
  EXPECT_EQ(with["model"]["expert"]["units"], Json({33, 8}));
  EXPECT_EQ(with["model"]["gate"]["type"], "sigmoid");
  EXPECT_EQ(with["model"]["tower"]["units"], Json({20})) << "a range for a list is one for its only element";
  EXPECT_EQ(with["training"]["optimiser"]["rate"], 5e-3);
}

TEST(SearchPlan, HasNoFirstPointWithoutAnyStart) {
  EXPECT_FALSE(plan_of("[model]\nexperts = { min = 2, max = 32 }").first);
}

TEST(SearchPlan, TakesTablesThatAreCalledLikePartsOfRangesForTables) {
  const SearchPlan plan = plan_of(
      "tasks.min.kind = \"binary\"\ntasks.search.kind = \"binary\"\n[model]\nexperts = { min = 2, max = 32 "
      "}");
  EXPECT_THAT(names_of(plan), ElementsAre("model.experts"));
}

TEST(SearchPlan, SearchesTheDeclaredOptionsOfEveryArchitectureByDefault) {
  for (const std::string& type : Registry<Architecture>::instance().names()) {
    const SearchPlan plan = plan_of("[model]\ntype = \"" + type + "\"");
    EXPECT_TRUE(plan.is_default);
    EXPECT_THAT(names_of(plan), testing::IsSupersetOf({"training.optimiser.rate", "training.batch_rows"}))
        << type;
    ASSERT_TRUE(plan.first) << type;
    for (size_t i = 0; i < plan.dimensions.size(); ++i) {
      const Dimension& dimension = plan.dimensions[i];
      EXPECT_LE(dimension.low, (*plan.first)[i]) << type << " " << dimension.name;
      EXPECT_GE(dimension.high, (*plan.first)[i]) << type << " " << dimension.name;
    }
  }
  EXPECT_THAT(names_of(plan_of("[model]\ntype = \"tensor_factorization\"")),
              testing::Not(testing::Contains("model.expert.dropout")))
      << "which it refuses";
  EXPECT_THAT(
      names_of(plan_of("[model]\nexperts = 4\nexpert.units = [32, 16]\ngate = { type = \"top_k\", k = 2 }")),
      ElementsAre("model.experts", "model.expert.units[0]", "model.expert.units[1]", "model.expert.dropout",
                  "model.gate.k", "model.tower.units", "training.optimiser.rate", "training.batch_rows"));
}

TEST(SearchPlan, StartsTheDefaultSpaceFromTheConfiguration) {
  const SearchPlan plan = plan_of("[model]\nexperts = 40\n[training.optimiser]\nrate = 0.003");
  const Json first = plan.with(*plan.first);
  EXPECT_EQ(first["model"]["experts"], 40) << "outside of the declared range, which is widened";
  EXPECT_EQ(first["training"]["optimiser"]["rate"], 0.003);
}

TEST(SearchPlan, LeavesAnOptionAloneThatIsZeroWhereRatiosCount) {
  const SearchPlan plan = plan_of("[model]\ntype = \"cgc\"\ntask_experts = 0");
  EXPECT_THAT(names_of(plan), testing::Not(testing::Contains("model.task_experts")));
  EXPECT_THAT(plan.left_at_zero, ElementsAre("model.task_experts"));
  EXPECT_EQ(plan.with(*plan.first)["model"]["task_experts"], 0);
}

TEST(SearchPlan, TakesNumbersWhereNoOptionsAreDeclared) {
  const SearchPlan plan = plan_of(R"(
    columns.embedding = { min = 2, max = 16 }
    tasks.a = { kind = "regression", loss = "huber", loss_options.delta = { min = 1, max = 3 } }
    tasks.b = { kind = "binary" }
    [training.stop]
    weights.b = { min = 0, max = 1 }
  )");
  ASSERT_THAT(names_of(plan),
              ElementsAre("columns.embedding", "tasks.a.loss_options.delta", "training.stop.weights.b"));
  EXPECT_EQ(plan.dimensions[0].kind, Dimension::Kind::Integer);
  EXPECT_EQ(plan.dimensions[1].kind, Dimension::Kind::Number);
  EXPECT_EQ(plan.dimensions[2].kind, Dimension::Kind::Number);
}

TEST(SearchPlan, RefusesRangesThatAreNone) {
  EXPECT_THAT(refusal_of_search_plan("[model]\nexperts = { min = 2, mx = 3 }"),
              HasSubstr("Did you mean \"max\"?"));
  EXPECT_THAT(refusal_of_search_plan("[model]\nexperts = { min = 2 }"), HasSubstr("expected {min, max}"));
  EXPECT_THAT(refusal_of_search_plan("[model]\nexperts = { min = 2, max = 5000 }"),
              HasSubstr("got 5000, expected 1 to 4096"));
  EXPECT_THAT(refusal_of_search_plan("[model]\nexperts = { min = 1.5, max = 3 }"),
              HasSubstr("expected integers"));
  EXPECT_THAT(refusal_of_search_plan("[model]\nexpert.activation = { min = 1, max = 3 }"),
              HasSubstr("give choices"));
  EXPECT_THAT(refusal_of_search_plan("[model]\nexpert.activation = { choices = [\"rlu\"] }"),
              HasSubstr("\"relu\""));
  EXPECT_THAT(refusal_of_search_plan("[model]\nexpert.activation = { search = true }"),
              HasSubstr("declares no range"));
  EXPECT_THAT(refusal_of_search_plan("[model]\nexprts = { min = 1, max = 3 }"), HasSubstr("\"experts\""));
  EXPECT_THAT(refusal_of_search_plan("[model]\nexperts = { min = 1, max = 3, start = 4 }"),
              HasSubstr("from 1 to 3"));
  EXPECT_THAT(refusal_of_search_plan("[split]\nseed = { min = 1, max = 3 }"),
              HasSubstr("[split] can have none"));
  EXPECT_THAT(refusal_of_search_plan("[training]\nseed = { min = 1, max = 3 }"), HasSubstr("[tune] seeds"));
}

std::map<std::string, double> constants_of(const SearchPlan& plan, const std::string& text,
                                           std::string* full = nullptr) {
  std::vector<Constraint> constraints;
  constraints.emplace_back(text);
  std::map<std::string, double> constants = plan.resolve(constraints);
  if (full != nullptr) *full = fmt::format("{}", fmt::join(constraints[0].names(), " "));
  return constants;
}

TEST(SearchPlan, TellsWhatTheNamesOfConstraintsMean) {
  const SearchPlan plan =
      plan_of("[model]\nexperts = { min = 2, max = 32 }\nexpert.units = [{ min = 8, max = 64 }]");
  std::string full;
  EXPECT_TRUE(constants_of(plan, "experts * units <= 512", &full).empty());
  EXPECT_EQ(full, "model.experts model.expert.units")
      << "searched options come first, so units is no tower's";
  const auto constants = constants_of(plan, "experts * batch_rows <= 512 * tower.units");
  EXPECT_THAT(constants, testing::UnorderedElementsAre(testing::Pair("training.batch_rows", 1024),
                                                       testing::Pair("model.tower.units", 8)))
      << "options that are not searched count with their values, also defaults of parts";
  EXPECT_THROW(constants_of(plan, "expertz <= 3"), Error);
  EXPECT_THROW(
      constants_of(plan_of("[model]\nexpert.units = { search = true }\ntower.units = { search = true }"),
                   "units <= 3"),
      Error);
}

}  // namespace
}  // namespace gatewise

// What is suggested against a fault is a configuration that can be fitted and keeps what the model has.
#include "diagnosis/remedies.h"

#include <gmock/gmock.h>

#include "configuration/configuration.h"
#include "tests/base/message_of.h"
#include "tests/training/fitted.h"

namespace gatewise {
namespace {

// "/gate/type" of "gate.type".
std::string pointer_of(std::string path) {
  std::replace(path.begin(), path.end(), '.', '/');
  return "/" + path;
}

// Every remedy is a configuration that can be fitted and has the changes in it, for every architecture.
TEST(Remedies, GiveConfigurationsThatAreAccepted) {
  for (const std::string& type : Registry<Architecture>::instance().names()) {
    const Json configuration =
        Configuration::from_json({{"data", {{"train", {"train.csv"}}}},
                                  {"columns", {{"default", "ignore"}, {"x", {{"role", "numeric"}}}}},
                                  {"tasks", {{"a.b", {{"kind", "binary"}}}, {"b", {{"kind", "binary"}}}}},
                                  {"model", {{"type", type}}}})
            .to_json();
    for (const char* kind : {"collapse", "degradation", "underfitting", "polarisation", "unused_expert",
                             "task_conflict", "silent_failure"}) {
      Verdict verdict{kind, "w", "l", "e", {"a.b"}, {}, {}, 1};
      verdict.evidence = {{"gradient_share", 0.9},      {"by_task", {{"a.b", 0.9}, {"b", 0.1}}},
                          {"captured_in_level", 2},     {"captured_by_this_task", 1},
                          {"shared_experts", 4},        {"cause", "chance"},
                          {"wild_columns", Json({"x"})}};
      const Remedy remedy = remedy_for(verdict, configuration);
      EXPECT_FALSE(remedy.text.empty());
      if (remedy.changes.empty()) continue;
      SCOPED_TRACE(type + " " + kind);
      const Json suggested = suggested_configuration(configuration, {remedy});
      EXPECT_NE(suggested, configuration);
      EXPECT_NO_THROW(Configuration::from_json(suggested)) << suggested.dump();
      EXPECT_TRUE(Configuration::from_json(suggested).warnings.empty());
      for (const auto& [path, value] : remedy.changes.items()) {
        if (!path.starts_with("model.")) continue;
        EXPECT_EQ(suggested["model"].at(Json::json_pointer(pointer_of(path.substr(6)))), value) << path;
      }
    }
  }
}

Json configured(const std::string& type, const Json& options = Json::object()) {
  Json model = options;
  model["type"] = type;
  const Json tasks{{"a", {{"kind", "binary"}}}, {"v", {{"kind", "regression"}, {"transform", "none"}}}};
  return Configuration::from_json({{"data", {{"train", {"train.csv"}}}},
                                   {"columns", {{"default", "ignore"}, {"x", {{"role", "numeric"}}}}},
                                   {"tasks", tasks},
                                   {"model", model}})
      .to_json();
}

Verdict captured_by(const std::string& task, double deviation) {
  Verdict verdict{"degradation", "experts/0", "experts", "experts/0", {task}, {}, {}, 1};
  verdict.evidence = {{"gradient_share", 0.9},  {"by_task", {{"a", 0.1}, {"v", 0.9}}},
                      {"captured_in_level", 1}, {"captured_by_this_task", 1},
                      {"shared_experts", 4},    {"label_deviation", deviation}};
  return verdict;
}

TEST(Remedies, ScaleWideLabelsBeforeExpertsAreParted) {
  const Json configuration = configured("mmoe");
  EXPECT_EQ(remedy_for(captured_by("v", 3.2), configuration).changes,
            Json({{"tasks.v.transform", "standardise"}}));
  EXPECT_EQ(remedy_for(captured_by("v", 1), configuration).changes["model.type"], "cgc");
  EXPECT_EQ(remedy_for(captured_by("a", 3.2), configuration).changes["model.type"], "cgc");
}

// What an mmoe has is not lost on the way to experts of the tasks' own.
TEST(Remedies, KeepTheLevelsAndTheBottomOfAModel) {
  for (const char* kind : {"degradation", "task_conflict"}) {
    Verdict verdict = captured_by("a", 0);
    verdict.kind = kind;
    const Json deep = configured("mmoe", {{"levels", 3}});
    const Remedy remedy = remedy_for(verdict, deep);
    EXPECT_EQ(remedy.changes["model.type"], "ple");
    EXPECT_EQ(suggested_configuration(deep, {remedy})["model"]["levels"], 3);
    EXPECT_EQ(remedy_for(verdict, configured("mmoe", {{"bottom", {16}}})).changes, Json::object());
  }
}

Json polarised(const Json& options, const std::string& type = "mmoe") {
  const Verdict verdict{"polarisation", "gates/a", "experts", "experts/0", {"a"}, {}, {}, 1};
  return remedy_for(verdict, configured(type, options)).changes;
}

TEST(Remedies, BalanceAGateByItsOwnOptions) {
  EXPECT_EQ(polarised({{"gate", {{"type", "switch"}}}}), Json({{"model.gate.balance_weight", 0.03}}));
  EXPECT_EQ(polarised({{"gate", {{"type", "top_k"}}}}), Json({{"model.gate.balance_weight", 0.01}}));
  EXPECT_EQ(polarised({{"gate", {{"type", "task_aware"}, {"balance_weight", 0.1}}}}),
            Json({{"model.gate.balance_weight", 0.3}}));
  EXPECT_EQ(polarised({{"gate", {{"type", "noisy_top_k"}}}}),
            Json({{"model.gate.importance_weight", 0.3}, {"model.gate.load_weight", 0.3}}));
  EXPECT_EQ(polarised({{"gate", {{"type", "bias_balanced"}}}}), Json({{"model.gate.update_rate", 0.003}}));
  const Json schedule{{"from", 0.2}, {"to", 0}, {"steps", 50}};
  EXPECT_EQ(polarised({{"gate", {{"type", "switch"}, {"balance_weight", schedule}}}}),
            Json({{"model.gate.balance_weight", {{"from", 0.6}, {"to", 0}, {"steps", 50}}}}));
  EXPECT_EQ(polarised({{"gate", {{"hidden", {8}}}}})["model.gate"]["hidden"], Json({8}));
}

TEST(Remedies, OfAGateThatCannotBeChosenAreSlowerSteps) {
  EXPECT_EQ(polarised(Json::object(), "tensor_factorization").begin().key(), "training.optimiser.rate");
}

// Experts of limited capacity cannot be normalised over the batch.
TEST(Remedies, NormaliseExpertsOfLimitedCapacityRowByRow) {
  const Json limited = configured("mmoe", {{"gate", {{"type", "switch"}, {"capacity_factor", 1.5}}}});
  const Verdict verdict{"collapse", "experts/0", "experts", "experts/0", {}, {}, {}, 1};
  const Remedy remedy = remedy_for(verdict, limited);
  EXPECT_EQ(remedy.changes["model.expert.normalisation"], "layer");
  EXPECT_NO_THROW(
      build_graph(sample_space(binary_tasks), suggested_configuration(limited, {remedy})["model"]));
}

TEST(Remedies, ScaleColumnsAsTheirRolesAllow) {
  Json configuration = configured("mmoe");
  configuration["columns"]["w"] = {{"role", "vector"}, {"transform", "standardise"}};
  Verdict verdict{"silent_failure", "a", "", "", {"a"}, {}, {}, 1};
  verdict.evidence = {{"cause", "chance"}, {"wild_columns", {"x", "w"}}};
  const Remedy remedy = remedy_for(verdict, configuration);
  EXPECT_EQ(remedy.changes, Json({{"columns.x.transform", "quantile"}, {"columns.w.transform", "log1p"}}));
  EXPECT_NO_THROW(Configuration::from_json(suggested_configuration(configuration, {remedy})));
}

// A loss of counts takes labels as they are.
TEST(Remedies, LeaveLabelsAloneThatTheLossWantsInTheirOwnUnits) {
  Json configuration = configured("mmoe");
  configuration["tasks"]["v"]["loss"] = "poisson";
  EXPECT_FALSE(remedy_for(captured_by("v", 3.2), configuration).changes.contains("tasks.v.transform"));
}

TEST(Remedies, NameAnotherModelThanTheOneExamined) {
  EXPECT_THAT(remedy_for(captured_by("a", 0), configured("home")).text,
              testing::Not(testing::HasSubstr("home")));
  EXPECT_THAT(remedy_for(captured_by("a", 0), configured("ple")).text, testing::HasSubstr("home"));
}

TEST(Remedies, SaveExpertsOfTheKindThatIsUnused) {
  const auto changes_for = [](const std::string& expert, const Json& options) {
    Verdict verdict{"unused_expert", expert, "levels/1", expert, {}, {}, {}, 1};
    verdict.evidence = {{"unused_in_level", 1}};
    return remedy_for(verdict, configured("ple", options)).changes;
  };
  EXPECT_EQ(changes_for("levels/1/task_experts/a/0", {{"shared_experts", 4}, {"task_experts", 1}}),
            Json::object());
  EXPECT_EQ(changes_for("levels/1/task_experts/a/0", {{"shared_experts", 4}, {"task_experts", 3}}),
            Json({{"model.task_experts", 2}}));
  EXPECT_EQ(changes_for("levels/1/shared_experts/2", {{"shared_experts", 4}, {"task_experts", 3}}),
            Json({{"model.shared_experts", 3}}));
}

TEST(Remedies, WithoutAnyThereIsNothingToSuggest) {
  EXPECT_THAT(message_of([] { suggested_configuration(Json::object(), {}); }),
              testing::HasSubstr("there is no verdict that a changed setting answers"));
  const Json configuration = configured("linear");
  EXPECT_THAT(
      message_of([&] {
        suggested_configuration(configuration, {{"", {{"model.gate", {{"type", "top_k"}}}}}});
      }),
      testing::HasSubstr("got model.gate, which the model has already or its architecture does not have"));
}

}  // namespace
}  // namespace gatewise

// What every registered gate must keep, in the architectures that have gates.
#include <gmock/gmock.h>

#include <filesystem>

#include "gates/gate.h"
#include "model_file/model_directory.h"
#include "tests/contract/gate_cases.h"

namespace gatewise {
namespace {

// Steps of a run change no state: the differences need one function.
Json without_updates(Json gate) {
  if (gate["type"] == "bias_balanced") gate["update_rate"] = 0;
  if (gate.contains("temperature")) gate["temperature"] = 2;
  // Settled codes that spell no expert cost a constant million, in which differences drown.
  if (gate["type"] == "dselect_k") gate["gamma"] = 8;
  return gate;
}

// `experts` are split in the way of the architecture.
Json model_of(const std::string& type, const Json& gate, int64_t experts = 6) {
  const Json smooth = {{"units", {4}}, {"activation", "tanh"}};
  Json model = {{"type", type}, {"gate", gate}, {"expert", smooth}, {"tower", smooth}};
  if (type == "mmoe") model["experts"] = experts;
  if (gate.contains("capacity_factor")) model["expert"]["normalisation"] = "none";
  return model;
}

class EveryGate : public testing::TestWithParam<GateCase> {
 protected:
  std::unique_ptr<Gate> gate() const { return make_part<Gate>(GetParam().options, "gate", "softmax"); }
};

TEST_P(EveryGate, HasTheGradientsOfItsLossInEveryArchitectureWithGates) {
  for (const char* type : {"mmoe", "omoe", "ple", "adatt", "home"}) {
    SCOPED_TRACE(type);
    const FeatureSpace space = sample_space(binary_tasks);
    const auto graph = build_graph(space, model_of(type, without_updates(GetParam().options)));
    EXPECT_GT(expect_gradients(*graph, feed_for(*graph, space, 6)), 10);
  }
}

TEST_P(EveryGate, GivesTheWeightsItClaims) {
  const FeatureSpace space = sample_space(binary_tasks);
  const auto graph = build_graph(space, model_of("mmoe", GetParam().options));
  for (const bool is_training : {true, false}) {
    PlanOptions options;
    options.is_training = is_training;
    options.watched = {graph->find("gates/click"), graph->find("gates/buy")};
    Feed feed = feed_for(*graph, space, 40);
    feed.run.is_training = is_training;
    GraphRun<double> run(*graph, feed, options);
    is_training ? static_cast<void>(run.step()) : run.forward();
    for (const int node : options.watched) {
      const std::vector<double> weights = run.value(node);
      for (size_t row = 0; row < weights.size(); row += 6) {
        const double sum = std::accumulate(weights.begin() + row, weights.begin() + row + 6, 0.0);
        if (gate()->sums_to_one()) {
          EXPECT_NEAR(sum, 1, 1e-9);
        }
        if (!gate()->is_sparse_in_training()) continue;
        const auto zeros = std::count(weights.begin() + row, weights.begin() + row + 6, 0.0);
        EXPECT_EQ(zeros, 6 - gate()->active(6));
      }
    }
  }
}

TEST_P(EveryGate, RoutedExpertsAreTheDenseOnes) {
  if (!gate()->is_sparse() || gate()->capacity_factor() > 0)
    GTEST_SKIP() << "not a sparse gate without limits";
  const FeatureSpace space = sample_space(binary_tasks);
  for (const char* type : {"mmoe", "omoe", "cgc", "ple", "adatt_sp", "home"}) {
    SCOPED_TRACE(type);
    Json dense_gate = GetParam().options, routed_gate = GetParam().options;
    dense_gate["routing"] = "dense";
    routed_gate["routing"] = "routed";
    const auto dense = build_graph(space, model_of(type, dense_gate));
    const auto routed = build_graph(space, model_of(type, routed_gate));
    const Feed feed = feed_for(*dense, space, 33), routed_feed = feed_for(*routed, space, 33);
    GraphRun<double> expected(*dense, feed, {}), run(*routed, routed_feed, {.tile_rows = 8, .lanes = 3}, 2);
    expect_close(run.step().losses, expected.step().losses, 1e-12, "losses");
    for (const std::string& path : run.store().paths()) {
      if (run.store().block(path).place < 0) continue;
      expect_close(run.parameter_gradient(path), expected.parameter_gradient(path), 1e-6, path);
    }
    GraphRun<double> expected_score(*dense, feed, {.is_training = false});
    GraphRun<double> score(*routed, routed_feed, {.is_training = false});
    expected_score.forward();
    score.forward();
    for (const TaskSpace& task : space.tasks) {
      expect_close(score.value(routed->find(task.name)), expected_score.value(dense->find(task.name)), 1e-12,
                   task.name);
    }
  }
}

TEST_P(EveryGate, ThreadsChangeNoBitAndRowsStandAlone) {
  const FeatureSpace space = sample_space(binary_tasks);
  Json gate = GetParam().options;
  if (this->gate()->is_sparse()) gate["routing"] = "routed";
  const auto graph = build_graph(space, model_of("mmoe", gate));
  const Feed feed = feed_for(*graph, space, 50);
  std::vector<float> expected;
  for (const int threads : {1, 2, 4}) {
    GraphRun<float> run(*graph, feed, {.tile_rows = 8, .lanes = 4}, threads);
    run.step();
    const std::vector<float> gradients(run.program().gradients().data(),
                                       run.program().gradients().data() + run.program().gradients().size());
    if (expected.empty()) expected = gradients;
    EXPECT_TRUE(same_bits(gradients, expected)) << threads << " threads";
  }
  PlanOptions scoring;
  scoring.is_training = false;
  Feed some = feed;
  some.run.is_training = false;
  GraphRun<float> all(*graph, some, scoring);
  all.forward();
  const std::vector<float> together = all.value(graph->find("buy"));
  some.rows = 3;
  GraphRun<float> few(*graph, some, scoring);
  few.forward();
  const std::vector<float> first = few.value(graph->find("buy"));
  EXPECT_TRUE(same_bits(first, std::vector<float>(together.begin(), together.begin() + 3)));
}

TEST_P(EveryGate, TakesDegenerateShapes) {
  struct Shapes {
    int64_t experts, rows;
    std::vector<TaskSpace> tasks;
  };
  for (const Shapes& shapes : {Shapes{1, 5, binary_tasks}, Shapes{2, 1, binary_tasks},
                               Shapes{3, 5, {binary_tasks[0]}}, Shapes{5, 4, mixed_tasks}}) {
    const FeatureSpace space = sample_space(shapes.tasks);
    const auto graph = build_graph(space, model_of("mmoe", GetParam().options, shapes.experts));
    GraphRun<float> run(*graph, feed_for(*graph, space, shapes.rows), {});
    EXPECT_TRUE(std::isfinite(run.step().total));
    for (int64_t i = 0; i < run.program().gradients().size(); ++i) {
      ASSERT_TRUE(std::isfinite(run.program().gradients().data()[i]));
    }
  }
}

TEST_P(EveryGate, IsSavedWithItsModel) {
  const FeatureSpace space = sample_space(binary_tasks);
  const auto graph = build_graph(space, model_of("mmoe", GetParam().options));
  const Feed feed = feed_for(*graph, space, 9);
  GraphRun<float> run(*graph, feed, {.is_training = false});
  run.forward();
  const std::string directory = testing::TempDir() + "gatewise_gate_" + GetParam().name;
  std::filesystem::remove_all(directory);
  save_model(directory, {.graph = *graph, .store = run.store()});
  const LoadedModel loaded = load_model(directory);
  EXPECT_EQ(loaded.graph->to_json(), graph->to_json());
  GraphRun<float> again(*loaded.graph, feed, {.is_training = false});
  for (const std::string& path : run.store().paths()) again.store().set(path, loaded.store->get(path));
  again.program().parameters_changed();
  again.forward();
  EXPECT_EQ(again.value(loaded.graph->find("buy")), run.value(graph->find("buy")));
  std::filesystem::remove_all(directory);
}

std::string plan_text(const Graph& graph, bool is_training) {
  const Store<float> store(graph);
  PlanOptions options;
  options.is_training = is_training;
  return Plan(graph, store.layout(), options).text();
}

TEST(SparseGates, TrainBatchNormedExpertsDenseAndScoreThemRoutedAndThePlanSaysSo) {
  Json model = model_of("mmoe", {{"type", "top_k"}, {"k", 1}}, 16);
  model["expert"]["normalisation"] = "batch";
  const auto graph = build_graph(sample_space(binary_tasks), model);
  const std::string dense = "training runs every one for every row, scoring only those that are chosen";
  EXPECT_THAT(plan_text(*graph, true), testing::HasSubstr(dense));
  EXPECT_THAT(plan_text(*graph, true), testing::Not(testing::HasSubstr("routes rows")));
  EXPECT_THAT(plan_text(*graph, false), testing::HasSubstr("routes rows to 16 branches; a branch runs only"));
}

TEST(SparseGates, WithoutRowsLeaveOutExpertsForAllRows) {
  const Json gate = {{"type", "dselect_k"}, {"k", 1}, {"routing", "routed"}};
  const auto graph = build_graph(sample_space(binary_tasks), model_of("mmoe", gate, 16));
  EXPECT_THAT(plan_text(*graph, false), testing::HasSubstr("branches without weight never run"));
}

TEST(Gates, OptionsThatDoNotFitAreRefusedByTheirPlaceInTheConfiguration) {
  const auto refusal = [](const Json& gate, const Json& expert = Json::object(), const char* type = "mmoe") {
    return message_of([&] {
      build_graph(sample_space(binary_tasks), {{"type", type}, {"gate", gate}, {"expert", expert}});
    });
  };
  using testing::StartsWith;
  EXPECT_THAT(refusal({{"temperature", 0}}), StartsWith("model.gate.temperature: got 0"));
  for (const char* type : {"switch", "top_k", "task_aware"})
    EXPECT_THAT(refusal({{"type", type}, {"balance_weight", -1}}),
                StartsWith("model.gate.balance_weight: got -1"));
  EXPECT_THAT(refusal({{"type", "noisy_top_k"}, {"load_weight", -1}}),
              StartsWith("model.gate.load_weight: got -1"));
  EXPECT_THAT(refusal({{"type", "dselect_k"}, {"entropy_weight", -1}}),
              StartsWith("model.gate.entropy_weight: got -1"));
  EXPECT_THAT(refusal(Json::object(), {{"units", Json::array()}}), StartsWith("model.expert.units: got []"));
  EXPECT_THAT(refusal({{"type", "top_k"}, {"per_example", false}, {"hidden", {4}}}),
              StartsWith("model.gate.hidden: got layers"));
  const Json limited{{"type", "switch"}, {"capacity_factor", 1.5}};
  Json dense = limited;
  dense["routing"] = "dense";
  EXPECT_THAT(refusal(dense), StartsWith("model.gate.routing: got \"dense\" beside capacity_factor = 1.5"));
  const auto* batch = "model.gate.capacity_factor: got 1.5, but experts with normalisation = \"batch\"";
  EXPECT_THAT(refusal(limited, {{"normalisation", "batch"}}), StartsWith(batch));
  EXPECT_THAT(refusal(limited, Json::object(), "home"), StartsWith(batch));
  EXPECT_NO_THROW(build_graph(sample_space(binary_tasks), model_of("home", limited)));
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryGate, testing::ValuesIn(all_gates()),
                         [](const auto& gate_case) { return gate_case.param.name; });

}  // namespace
}  // namespace gatewise

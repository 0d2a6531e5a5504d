// Rows that belong to one task each: what runs for the row's task alone gives what all tasks together give
// where the other labels are missing.
#include <filesystem>

#include "architectures/level.h"
#include "model_file/model_directory.h"
#include "tests/contract/feed_for.h"

namespace gatewise {
namespace {

// The tasks on rows with all labels, and on rows of one task.
struct BothForms {
  FeatureSpace all, own;
  explicit BothForms(std::vector<TaskSpace> tasks) : all(sample_space(std::move(tasks))), own(all) {
    own.task_column = "domain";
  }
};

// Takes the labels of other tasks than the row's from a feed of all tasks; the two feeds then weigh rows
// alike.
void keep_own_labels(const FeatureSpace& space, Feed& all, const Feed& own) {
  const auto tasks = static_cast<int64_t>(space.tasks.size());
  for (int64_t row = 0; row < all.rows; ++row) {
    for (int64_t task = 0; task < tasks; ++task)
      all.coefficients[row * tasks + task] = task == task_of_row(space, row) ? own.coefficients[row] : 0;
  }
}

// Losses, gradients and predictions of a model in both forms, in double.
void expect_equal_forms(const std::vector<TaskSpace>& tasks, const Json& model) {
  const BothForms spaces(tasks);
  const auto dense = build_graph(spaces.all, model), own = build_graph(spaces.own, model);
  ASSERT_EQ(own->losses().size(), 1u);
  const Feed own_feed = feed_for(*own, spaces.own, 35);
  Feed dense_feed = feed_for(*dense, spaces.all, 35);
  keep_own_labels(spaces.all, dense_feed, own_feed);
  GraphRun<double> expected(*dense, dense_feed, {});
  GraphRun<double> run(*own, own_feed, {.tile_rows = 8, .lanes = 3}, 2);
  const StepResult result = run.step(), whole = expected.step();
  EXPECT_NEAR(result.total, whole.total, 1e-11 * std::abs(whole.total));
  for (const std::string& path : run.store().paths()) {
    if (run.store().block(path).place < 0) continue;
    expect_close(run.parameter_gradient(path), expected.parameter_gradient(path), 1e-9, path);
  }
  GraphRun<double> score(*own, own_feed, {.is_training = false});
  GraphRun<double> expected_score(*dense, dense_feed, {.is_training = false});
  score.forward();
  expected_score.forward();
  const std::vector<double> predictions = score.value(own->find(own_output));
  const size_t width = predictions.size() / 35;
  for (int64_t row = 0; row < 35; ++row) {
    const auto all = expected_score.value(dense->find(tasks[task_of_row(spaces.all, row)].name));
    for (size_t i = 0; i < width; ++i)
      EXPECT_NEAR(predictions[row * width + i], all[row * width + i], 1e-11) << "row " << row;
  }
}

class RowsOfOneTask : public testing::TestWithParam<std::string> {};

TEST_P(RowsOfOneTask, GiveWhatAllTasksGiveWithoutTheOtherLabels) {
  expect_equal_forms(binary_tasks, {{"type", GetParam()}});
  if (tasks_for(GetParam()).size() != 3 || tasks_for(GetParam())[1].kind == "binary") return;
  expect_equal_forms({make_task("a", "multiclass", 3), make_task("b", "multiclass", 3)},
                     {{"type", GetParam()}});
}

TEST_P(RowsOfOneTask, HaveTheGradientsOfTheirLoss) {
  const Json smooth = {{"units", {4}}, {"activation", "tanh"}};
  for (const size_t count : {size_t{1}, size_t{3}}) {
    const BothForms spaces({binary_tasks.begin(), binary_tasks.begin() + static_cast<int64_t>(count)});
    Json model = {{"type", GetParam()}, {"expert", smooth}, {"tower", smooth}};
    leave_out_foreign_options(model);
    const auto graph = build_graph(spaces.own, model);
    EXPECT_GT(expect_gradients(*graph, feed_for(*graph, spaces.own, 6)), 5);
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, RowsOfOneTask,
                         testing::ValuesIn(Registry<Architecture>::instance().names()),
                         [](const auto& architecture) { return architecture.param; });

// Gates without auxiliary losses, which see other rows in the two forms, and without noise.
std::vector<Json> quiet_gates() {
  std::vector<Json> gates{
      {{"type", "softmax"}, {"hidden", {3}}, {"temperature", 2}},
      {{"type", "sigmoid"}, {"normalise", true}},
      {{"type", "top_k"}},
      {{"type", "noisy_top_k"}, {"noise", false}, {"importance_weight", 0}, {"load_weight", 0}},
      {{"type", "switch"}, {"balance_weight", 0}},
      {{"type", "bias_balanced"}},
      {{"type", "dselect_k"}},
      {{"type", "dselect_k"}, {"per_example", true}, {"entropy_weight", 0}}};
  for (const char* form : {"agnostic", "per_task", "task_embedding", "task_only", "additive"})
    gates.push_back({{"type", "task_aware"}, {"form", form}, {"balance_weight", 0}});
  return gates;
}

TEST(GatesOfOneTask, GiveTheWeightsOfTheRowsTask) {
  for (Json gate : quiet_gates()) {
    for (const char* routing : {"dense", "routed"}) {
      const auto sparse = make_part<Gate>(gate, "gate", "softmax");
      if (sparse->is_sparse()) gate["routing"] = routing;
      SCOPED_TRACE(gate.dump());
      expect_equal_forms(binary_tasks, {{"type", "mmoe"}, {"experts", 4}, {"gate", gate}});
      if (!sparse->is_sparse()) break;
    }
  }
}

// Experts of the row's task alone beside shared ones that are routed, and gates that add to their weights.
TEST(ExpertsOfOneTask, AreThoseOfTheRowsTaskUnderSparseGates) {
  for (const char* type : {"cgc", "ple", "adatt"}) {
    for (const char* routing : {"dense", "routed"}) {
      SCOPED_TRACE(fmt::format("{} {}", type, routing));
      expect_equal_forms(
          binary_tasks,
          {{"type", type},
           {"shared_experts", 3},
           {"task_experts", 2},
           {"expert", {{"units", {4, 3}}, {"normalisation", "layer"}}},
           {"gate", {{"type", "top_k"}, {"k", 2}, {"routing", routing}, {"balance_weight", 0}}}});
    }
  }
}

// A gate that knows nothing of rows with one consumer each.
class PlainGate final : public Gate {
 public:
  Var weights(const GateRequest& request) const override {
    return softmax(mlp_bank(request.x, request.paths,
                            {.units = {request.experts}, .output_activation = "none", .initializer = {}}));
  }
};

TEST(GatesOfOneTask, AreThoseOfTheRowEvenWhereAGateTakesNoNotice) {
  Graph graph;
  const Var x = graph.input("x", Shape{3}), ids = graph.ids("row_task");
  const auto expert = make_part<Expert>({{"units", {4}}}, "expert", "mlp");
  const std::vector<ExpertGroup> groups{{x, numbered_paths("experts", 5)}};
  const std::vector<Consumer> consumers{{"gates/a", x, {0}, {}}, {"gates/b", x, {0}, {}}};
  const LevelOutput own = build_level(*expert, PlainGate(), groups, consumers, "", ids);
  graph.add_output("own", own.weights[0]);
  Feed feed;
  feed.rows = 4;
  for (const Node& node : graph.nodes()) {
    if (node.leaf == Leaf::Ids) feed.ids[node.id].ids = {1, 0, 0, 1};
  }
  feed.fill(graph);
  GraphRun<double> run(graph, feed, {.is_training = false});
  run.forward();
  const std::vector<double> weights = run.value(graph.find("own"));
  const auto gate_of = [&](const std::string& task, int64_t row) {
    const std::vector<double> weight = run.store().get("gates/" + task + "/layer_0/weight");
    std::vector<double> logits(5, 0), x_row(feed.inputs.begin()->second.begin() + 3 * row,
                                            feed.inputs.begin()->second.begin() + 3 * row + 3);
    double sum = 0;
    for (size_t e = 0; e < 5; ++e) {
      for (size_t i = 0; i < 3; ++i) logits[e] += x_row[i] * weight[i * 5 + e];
      logits[e] += run.store().get("gates/" + task + "/layer_0/bias")[e];
      sum += logits[e] = std::exp(logits[e]);
    }
    for (double& logit : logits) logit /= sum;
    return logits;
  };
  for (int64_t row = 0; row < 4; ++row) {
    const std::vector<double> expected = gate_of(feed.ids.begin()->second.ids[row] == 0 ? "a" : "b", row);
    for (size_t e = 0; e < 5; ++e) EXPECT_NEAR(weights[row * 5 + e], expected[e], 1e-12);
  }
}

// Every gate as it is, with what it adds to the loss.
TEST(GatesOfOneTask, HaveTheGradientsOfTheirLoss) {
  const Json smooth = {{"units", {4}}, {"activation", "tanh"}};
  const BothForms spaces(binary_tasks);
  for (const std::string& name : Registry<Gate>::instance().names()) {
    SCOPED_TRACE(name);
    Json gate = {{"type", name}};
    if (name == "bias_balanced") gate["update_rate"] = 0;
    if (name == "dselect_k") gate["gamma"] = 8;
    const auto graph = build_graph(
        spaces.own,
        {{"type", "mmoe"}, {"experts", 6}, {"gate", gate}, {"expert", smooth}, {"tower", smooth}});
    EXPECT_GT(expect_gradients(*graph, feed_for(*graph, spaces.own, 6)), 10);
  }
}

TEST(ModelsOfOneTask, RunOnlyWhatBelongsToTheTask) {
  const BothForms spaces(binary_tasks);
  for (const char* type : {"mmoe", "omoe", "shared_bottom", "single_task"}) {
    const auto graph = build_graph(spaces.own, {{"type", type}});
    for (const Node& node : graph->nodes()) {
      const bool has_rows = node.leaf == Leaf::None && node.signature.domain == Domain::Row;
      const Shape& shape = node.signature.shape;
      EXPECT_FALSE(has_rows && shape.rank() > 1 && shape[0] == 3) << type << ": " << shape.text();
    }
  }
}

TEST(ModelsOfOneTask, ThreadsAndNeighboursChangeNoBit) {
  const BothForms spaces(binary_tasks);
  const Json gate = {{"type", "top_k"}, {"routing", "routed"}, {"balance_weight", 0.1}};
  const auto graph =
      build_graph(spaces.own, {{"type", "mmoe"}, {"gate", gate}, {"tower", {{"units", {40}}}}});
  const Feed feed = feed_for(*graph, spaces.own, 50);
  std::vector<float> expected;
  for (const int threads : {1, 2, 4}) {
    GraphRun<float> run(*graph, feed, {.tile_rows = 8, .lanes = 4}, threads);
    run.step();
    const std::vector<float> gradients(run.program().gradients().data(),
                                       run.program().gradients().data() + run.program().gradients().size());
    if (expected.empty()) expected = gradients;
    EXPECT_TRUE(same_bits(gradients, expected)) << threads << " threads";
  }
  Feed some = feed;
  some.run.is_training = false;
  GraphRun<float> all(*graph, some, {.is_training = false});
  all.forward();
  const std::vector<float> together = all.value(graph->find(own_output));
  for (const int64_t rows : {1, 3, 17}) {
    some.rows = rows;
    GraphRun<float> few(*graph, some, {.is_training = false});
    few.forward();
    EXPECT_TRUE(same_bits(few.value(graph->find(own_output)),
                          std::vector<float>(together.begin(), together.begin() + rows)));
  }
}

TEST(ModelsOfOneTask, ATaskWithoutRowsHasNoGradient) {
  const BothForms spaces(binary_tasks);
  const auto graph = build_graph(spaces.own, {{"type", "mmoe"}});
  Feed feed = feed_for(*graph, spaces.own, 9);
  for (auto& [node, ids] : feed.ids) {
    if (graph->node(node).name == "row_task") std::fill(ids.ids.begin(), ids.ids.end(), 2u);
  }
  GraphRun<float> run(*graph, feed, {});
  EXPECT_TRUE(std::isfinite(run.step().total));
  for (const std::string& path : run.store().paths()) {
    const std::vector<float> gradient = run.parameter_gradient(path);
    const bool is_zero = std::all_of(gradient.begin(), gradient.end(), [](float g) { return g == 0; });
    const bool is_other =
        path.find("/click/") != std::string::npos || path.find("/like/") != std::string::npos;
    EXPECT_TRUE(!is_other || is_zero) << path;
    EXPECT_FALSE(path == "towers/buy/layer_1/bias" && is_zero);
  }
}

TEST(ModelsOfOneTask, AreSavedLikeAnyOther) {
  const BothForms spaces(binary_tasks);
  const auto graph = build_graph(spaces.own, {{"type", "mmoe"}, {"gate", {{"type", "task_aware"}}}});
  const Feed feed = feed_for(*graph, spaces.own, 9);
  GraphRun<float> run(*graph, feed, {.is_training = false});
  run.forward();
  const std::string directory = testing::TempDir() + "gatewise_rows_of_one_task";
  std::filesystem::remove_all(directory);
  save_model(directory, {.graph = *graph, .store = run.store()});
  const LoadedModel loaded = load_model(directory);
  EXPECT_EQ(loaded.graph->to_json(), graph->to_json());
  GraphRun<float> again(*loaded.graph, feed, {.is_training = false});
  for (const std::string& path : run.store().paths()) again.store().set(path, loaded.store->get(path));
  again.program().parameters_changed();
  again.forward();
  EXPECT_EQ(again.value(loaded.graph->find(own_output)), run.value(graph->find(own_output)));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace gatewise

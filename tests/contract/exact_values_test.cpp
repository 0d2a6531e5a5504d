// What the definitions of single architectures and gates say exactly.
#include "tests/contract/feed_for.h"

namespace gatewise {
namespace {

const std::vector<TaskSpace> two_tasks{make_task("click", "binary"), make_task("buy", "binary")};

Json with_tanh(Json model, int64_t units = 4) {
  model["expert"] = {{"units", {units}}, {"activation", "tanh"}};
  return model;
}

void expect_same_outputs(const Graph& one, const Feed& one_feed, const Graph& other, const Feed& other_feed,
                         const FeatureSpace& space) {
  GraphRun<double> run(one, one_feed, {.is_training = false}),
      again(other, other_feed, {.is_training = false});
  run.forward();
  again.forward();
  for (const TaskSpace& task : space.tasks) {
    expect_close(again.value(other.find(task.name)), run.value(one.find(task.name)), 1e-12, task.name);
  }
}

// The weights of the gate of a task for every row: [rows, experts].
std::vector<double> weights_of(const Graph& graph, const Feed& feed, const std::string& path,
                               bool is_training) {
  PlanOptions options;
  options.is_training = is_training;
  options.watched = {graph.find(path)};
  GraphRun<double> run(graph, feed, options);
  is_training ? static_cast<void>(run.step()) : run.forward();
  return run.value(options.watched[0]);
}

TEST(L2Constrained, WithoutAPenaltyIsSingleTaskBitForBit) {
  const FeatureSpace space = sample_space(mixed_tasks);
  const auto single = build_graph(space, {{"type", "single_task"}});
  const auto tied = build_graph(space, {{"type", "l2_constrained"}, {"alpha", 0}});
  GraphRun<float> run(*single, feed_for(*single, space, 9), {}), again(*tied, feed_for(*tied, space, 9), {});
  EXPECT_EQ(run.step().losses, again.step().losses);
  ASSERT_EQ(run.store().paths(), again.store().paths());
  for (const std::string& path : run.store().paths()) {
    EXPECT_TRUE(same_bits(run.parameter_gradient(path), again.parameter_gradient(path))) << path;
  }
  run.store().initialise(3);
  again.store().initialise(3);
  for (const std::string& path : run.store().paths()) {
    EXPECT_TRUE(same_bits(run.store().get(path), again.store().get(path))) << path;
  }
}

// "a" is also the start of the other's paths.
TEST(L2Constrained, TiesTasksOfWhichOneIsCalledLikeTheStartOfAnother) {
  const auto penalty_of = [](const std::string& first, const std::string& second) {
    const FeatureSpace space = sample_space({make_task(first, "binary"), make_task(second, "binary")});
    const auto graph = build_graph(space, {{"type", "l2_constrained"}, {"alpha", 0.5}});
    Feed feed = feed_for(*graph, space, 9);
    for (auto& [path, values] : feed.parameters)
      std::fill(values.begin(), values.end(), path.find("/" + second + "/") == std::string::npos ? 1.0 : 3.0);
    GraphRun<double> run(*graph, feed, {});
    return run.step().penalties.at(0);
  };
  EXPECT_GT(penalty_of("a", "b"), 1);
  EXPECT_EQ(penalty_of("a", "a/b"), penalty_of("a", "b"));
}

TEST(TensorFactorization, WithAFactorOfItsOwnPerTaskIsSingleTaskOfLowRank) {
  const FeatureSpace space = sample_space(two_tasks);
  const int64_t rank = 3, hidden = 4;
  const auto tensor = build_graph(
      space,
      with_tanh(
          {{"type", "tensor_factorization"}, {"rank_in", rank}, {"rank_out", rank}, {"rank_tasks", 2}}));
  const auto single = build_graph(space, with_tanh({{"type", "single_task"}}));
  Feed feed = feed_for(*tensor, space, 9), single_feed = feed_for(*single, space, 9);
  feed.parameters["layers/0/tasks"] = {1, 0, 0, 1};
  const std::vector<double>& in = feed.parameters["layers/0/inputs"];
  const std::vector<double>& core = feed.parameters["layers/0/core"];
  const std::vector<double>& out = feed.parameters["layers/0/outputs"];
  const int64_t width = static_cast<int64_t>(in.size()) / rank;
  for (int64_t task = 0; task < 2; ++task) {
    const std::string& name = two_tasks[task].name;
    std::vector<double>& weight = single_feed.parameters["bottoms/" + name + "/layer_0/weight"];
    ASSERT_EQ(static_cast<int64_t>(weight.size()), width * hidden);
    for (int64_t i = 0; i < width * hidden; ++i) {
      weight[i] = 0;
      for (int64_t a = 0; a < rank; ++a) {
        for (int64_t b = 0; b < rank; ++b)
          weight[i] +=
              in[i / hidden * rank + a] * core[(a * rank + b) * 2 + task] * out[i % hidden * rank + b];
      }
    }
    single_feed.parameters["bottoms/" + name + "/layer_0/bias"] = feed.parameters["layers/0/bias/" + name];
  }
  expect_same_outputs(*tensor, feed, *single, single_feed, space);
}

TEST(Cgc, ATaskMovesNeitherGateNorExpertsOfAnother) {
  const FeatureSpace space = sample_space(two_tasks);
  const auto graph = build_graph(space, with_tanh({{"type", "cgc"}}));
  Feed feed = feed_for(*graph, space, 9);
  for (size_t i = 1; i < feed.coefficients.size(); i += 2) feed.coefficients[i] = 0;  // only the click counts
  GraphRun<double> run(*graph, feed, {});
  run.step();
  for (const std::string& path : run.store().paths()) {
    const std::vector<double> gradient = run.parameter_gradient(path);
    const bool is_zero = std::all_of(gradient.begin(), gradient.end(), [](double g) { return g == 0; });
    const bool is_of_buy = path.find("/buy/") != std::string::npos;
    EXPECT_EQ(is_zero, is_of_buy) << path;
  }
}

TEST(Ple, OfOneTaskWithoutSharedExpertsIsStackedMmoe) {
  const FeatureSpace space = sample_space({two_tasks[0]});
  const auto ple = build_graph(
      space, with_tanh({{"type", "ple"}, {"levels", 2}, {"shared_experts", 0}, {"task_experts", 3}}));
  const auto mmoe = build_graph(
      space, with_tanh({{"type", "mmoe"}, {"levels", 2}, {"experts", 3}, {"upper_gates_read", "experts"}}));
  const Feed feed = feed_for(*ple, space, 9);
  Feed stacked = feed_for(*mmoe, space, 9);
  for (auto& [path, values] : stacked.parameters) {
    std::string source = path;
    if (const size_t at = path.find("/experts/"); at != std::string::npos) {
      source.replace(at, 9, "/task_experts/click/");
    } else if (path.starts_with("levels/0/gates/")) {
      source = "levels/0/gates/click" + path.substr(path.find("/layer"));
    }
    ASSERT_TRUE(feed.parameters.contains(source)) << path;
    values = feed.parameters.at(source);
  }
  expect_same_outputs(*ple, feed, *mmoe, stacked, space);
}

TEST(AdattSp, WithAnEvenGateAddsTheMeanOfAllExpertsToTheOwnOne) {
  const FeatureSpace space = sample_space(binary_tasks);
  const auto graph =
      build_graph(space, with_tanh({{"type", "adatt_sp"}, {"levels", 1}, {"task_experts", 1}}));
  Feed feed = feed_for(*graph, space, 4);
  for (auto& [path, values] : feed.parameters) {
    if (path.find("gates/") != std::string::npos) std::fill(values.begin(), values.end(), 0.0);
  }
  const std::vector<double> weights = weights_of(*graph, feed, "levels/0/gates/like", true);
  ASSERT_EQ(weights.size(), 12u);
  for (size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(weights[i], (i % 3 == 1 ? 1 : 0) + 1.0 / 3, 1e-15);
}

TEST(DSelectK, GivesSingleExpertsToSettledCodesAndAllOfThemASumOfOne) {
  const FeatureSpace space = sample_space({two_tasks[0]});
  const Json gate = {{"type", "dselect_k"}, {"k", 2}};
  const auto graph = build_graph(space, {{"type", "mmoe"}, {"experts", 8}, {"gate", gate}});
  Feed feed = feed_for(*graph, space, 2);
  const auto weights_with = [&](const std::vector<double>& codes) {
    feed.parameters["gates/click/codes"] = codes;
    std::vector<double> weights = weights_of(*graph, feed, "gates/click", true);
    weights.resize(8);
    return weights;
  };
  // Bits from the first: 101 and 011 settled at and beyond half of gamma.
  const std::vector<double> settled = weights_with({0.5, -0.7, 0.6, -0.5, 3, 0.5});
  EXPECT_EQ(std::count(settled.begin(), settled.end(), 0.0), 6);
  EXPECT_NEAR(std::accumulate(settled.begin(), settled.end(), 0.0), 1, 1e-15);
  const std::vector<double> same = weights_with({0.5, -0.7, 0.6, 0.8, -0.5, 0.5});
  EXPECT_EQ(std::count(same.begin(), same.end(), 0.0), 7);
  const std::vector<double> open = weights_with({0.1, -0.2, 0.3, 0.4, 0, -0.45});
  EXPECT_EQ(std::count(open.begin(), open.end(), 0.0), 0);
  EXPECT_NEAR(std::accumulate(open.begin(), open.end(), 0.0), 1, 1e-15);
}

TEST(DSelectK, GivesASingleExpertTheWholeWeight) {
  const FeatureSpace space = sample_space(two_tasks);
  for (const bool per_example : {true, false}) {
    const Json gate = {{"type", "dselect_k"}, {"per_example", per_example}, {"gamma", 0.5}};
    const auto graph = build_graph(space, {{"type", "mmoe"}, {"experts", 1}, {"gate", gate}});
    for (const bool is_training : {true, false}) {
      for (const double weight : weights_of(*graph, feed_for(*graph, space, 9), "gates/buy", is_training))
        EXPECT_EQ(weight, 1);
    }
  }
}

// Every gate indifferent: each row's expert is the first.
Feed indifferent(const Graph& graph, const FeatureSpace& space, int64_t rows) {
  Feed feed = feed_for(graph, space, rows);
  for (auto& [path, values] : feed.parameters) {
    if (path.starts_with("gates/")) std::fill(values.begin(), values.end(), 0.0);
  }
  return feed;
}

TEST(Switch, HasItsWeightAsBalanceLossWhereProbabilitiesAreEven) {
  const FeatureSpace space = sample_space(two_tasks);
  const Json gate = {{"type", "switch"}, {"balance_weight", 0.03}};
  const auto graph = build_graph(space, {{"type", "mmoe"}, {"experts", 5}, {"gate", gate}});
  GraphRun<double> run(*graph, indifferent(*graph, space, 11), {});
  EXPECT_NEAR(run.step().penalties.at(0), 0.03, 1e-15);
}

TEST(Switch, RowsBeyondTheCapacityDoWithoutExperts) {
  const FeatureSpace space = sample_space({two_tasks[0]});
  const Json gate = {{"type", "switch"}, {"capacity_factor", 1.0}, {"jitter", 0}};
  const auto graph = build_graph(space, {{"type", "mmoe"}, {"experts", 5}, {"gate", gate}});
  PlanOptions options;
  options.watched = {graph->find("logits/click")};
  GraphRun<double> run(*graph, indifferent(*graph, space, 40), options);
  run.step();
  const std::vector<double> logits = run.value(options.watched[0]);
  // An even share of 40 rows among 5 experts is 8.
  std::vector<double> of_nothing(logits.begin() + 8, logits.end());
  EXPECT_EQ(std::count(of_nothing.begin(), of_nothing.end(), of_nothing[0]), 32);
  EXPECT_EQ(std::count(logits.begin(), logits.begin() + 8, of_nothing[0]), 0);
}

// The state of a schedule moves by its steps, however small beside it.
TEST(Softmax, ASchedulesProgressLosesNoStep) {
  const FeatureSpace space = sample_space({two_tasks[0]});
  const Json gate = {{"temperature", {{"from", 2}, {"to", 1}, {"steps", 100'000'000}}}};
  const auto graph = build_graph(space, {{"type", "mmoe"}, {"experts", 2}, {"gate", gate}});
  GraphRun<float> run(*graph, feed_for(*graph, space, 2), {});
  run.store().set("temperature/progress", std::vector<float>{0.75F});
  for (int step = 0; step < 500; ++step) run.step();
  EXPECT_NEAR(run.store().get("temperature/progress")[0], 0.75 + 5e-6, 6e-8);
}

TEST(BiasBalanced, BiasesThatChangeNoChoiceChangeNoWeight) {
  const FeatureSpace space = sample_space({two_tasks[0]});
  const Json gate = {{"type", "bias_balanced"}, {"k", 2}, {"routing", "dense"}};
  const auto graph = build_graph(space, {{"type", "mmoe"}, {"experts", 4}, {"gate", gate}});
  PlanOptions options;
  options.watched = {graph->find("gates/click")};
  GraphRun<double> run(*graph, feed_for(*graph, space, 9), options);
  run.step();
  const std::vector<double> before = run.value(options.watched[0]);
  run.store().set("gates/click/balance", std::vector<double>{0.25, 0.25, 0.25, 0.25});
  run.step();
  EXPECT_EQ(run.value(options.watched[0]), before);
  run.store().set("gates/click/balance", std::vector<double>{0, 0, 5, 5});
  run.step();
  EXPECT_NE(run.value(options.watched[0]), before);
}

}  // namespace
}  // namespace gatewise

// What single operations promise beyond gradients: known values, routes against dense models, masks, batch
// norm.
#include "base/error.h"
#include "tests/engine/graph_run.h"

namespace gatewise {
namespace {

std::vector<double> forward_of(const Graph& graph, const Feed& feed, Var output) {
  GraphRun<double> run(graph, feed, {.is_training = false, .watched = {output.node()}});
  run.forward();
  return run.value(output.node());
}

TEST(OperationValues, masked_softmax_gives_zeros_where_everything_is_masked) {
  Graph graph;
  const Var x = graph.input("x", {3}), mask = graph.input("mask", {3});
  const Var y = masked_softmax(x, mask);
  Feed feed{.rows = 3};
  feed.inputs[x.node()] = {1, 2, 3, 1, 2, 3, 800, 2, 800};
  feed.inputs[mask.node()] = {0, 0, 0, 1, 0, 1, 1, 1, 1};
  const double low = 1 / (1 + std::exp(2));
  expect_close(forward_of(graph, feed, y), {0, 0, 0, low, 0, 1 - low, 0.5, 0, 0.5}, 1e-15, "weights");
}

TEST(OperationValues, top_k_prefers_the_first_of_equals_and_keeps_zeros_open) {
  Graph graph;
  const Var x = graph.input("x", {4});
  const Var y = top_k(x, 2);
  graph.add_loss("task", projected(y));
  Feed feed{.rows = 3};
  feed.inputs[x.node()] = {3, 5, 3, 3, -1, -1, -1, -1, -4, 0, -4, -3};
  feed.fill(graph);
  PlanOptions options{.watched = {y.node()}, .watched_gradients = {x.node()}};
  GraphRun<double> run(graph, feed, options);
  run.step();
  EXPECT_EQ(run.value(y.node()), (std::vector<double>{3, 5, 0, 0, -1, -1, 0, 0, 0, 0, 0, -3}));
  const std::vector<double> gradient = run.gradient(x.node());
  const std::vector<bool> is_kept{1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1};
  for (size_t i = 0; i < gradient.size(); ++i) EXPECT_EQ(gradient[i] != 0, is_kept[i]) << i;
}

TEST(OperationValues, moments_stay_exact_far_from_zero) {
  Graph graph;
  const Var x = graph.input("x", {1});
  const Var y = moments(x);
  Feed feed{.rows = 1000};
  double sum = 0;
  for (int64_t i = 0; i < feed.rows; ++i) feed.inputs[x.node()].push_back(4096 + static_cast<double>(i % 5));
  for (const double value : feed.inputs[x.node()]) sum += value;
  const double mean = sum / 1000;
  double variance = 0;
  for (const double value : feed.inputs[x.node()]) variance += (value - mean) * (value - mean) / 1000;
  for (const int64_t tile_rows : {1, 7, 128, 4096}) {
    GraphRun<float> run(graph, feed,
                        {.is_training = false, .tile_rows = tile_rows, .lanes = 3, .watched = {y.node()}});
    run.forward();
    EXPECT_EQ(run.value(y.node()),
              (std::vector<float>{static_cast<float>(mean), static_cast<float>(variance)}));
  }
}

TEST(OperationValues, embedding_looks_up_single_ids_and_pools_bags) {
  for (const Pooling pooling : {Pooling::Sum, Pooling::Mean}) {
    Graph graph;
    const Var single = graph.ids("single"), bag = graph.ids("bag");
    const Var table = graph.table("table", 6, 3, {});
    const Var one = embedding(single, table), many = embedding(bag, table, pooling);
    graph.add_loss("task", projected(concatenate({one, many})));
    Feed feed{.rows = 4};
    feed.ids[single.node()] = {{5, 0, 5, 2}, {}, {}};
    feed.ids[bag.node()] = {{1, 5, 1, 4, 3, 0}, {0, 3, 3, 4, 6}, {0.5f, 2, 1, 1.5f, 0.25f, 1}};
    feed.fill(graph);
    const std::vector<double>& rows = feed.parameters["table"];
    std::vector<double> expected_one, expected_many;
    for (int64_t row = 0; row < 4; ++row) {
      const IdFeed& ids = feed.ids[bag.node()];
      double total = 0;
      std::vector<double> sum(3, 0);
      for (int64_t i = ids.offsets[row]; i < ids.offsets[row + 1]; ++i) {
        total += ids.weights[i];
        for (int64_t k = 0; k < 3; ++k) sum[k] += ids.weights[i] * rows[ids.ids[i] * 3 + k];
      }
      for (int64_t k = 0; k < 3; ++k) {
        expected_one.push_back(rows[feed.ids[single.node()].ids[row] * 3 + k]);
        expected_many.push_back(pooling == Pooling::Mean && total > 0 ? sum[k] / total : sum[k]);
      }
    }
    expect_close(forward_of(graph, feed, one), expected_one, 1e-15, "single ids");
    expect_close(forward_of(graph, feed, many), expected_many, 1e-14, "bags");
    EXPECT_EQ(expect_gradients(graph, feed), 1);
  }
}

// A mixture of 4 experts of which each row takes some; the last is never taken. Two layers, two consumers.
struct Mixture {
  Graph graph;
  Var x, gates, mixed, route_of;
  explicit Mixture(bool is_routed) {
    constexpr int64_t branches = 4, in = 5, hidden = 6, out = 3;
    x = graph.input("x", {in});
    const Var chosen = graph.input("chosen", {branches});
    const Var projection = graph.parameter("input/weight", {in, in}, {});
    const Var values = linear(x, projection, Var(), Activation::Relu);
    const Var raw = linear(x, graph.parameter("gate/weight", {in, 2 * branches}, {}), Var());
    gates = softmax(reshape(raw, {2, branches}));
    gates = multiply(gates, stop_gradient(chosen));
    const Var weight_0 = graph.parameter("0/weight", {branches, in, hidden}, {});
    const Var bias_0 = graph.parameter("0/bias", {branches, hidden}, {});
    const Var weight_1 = graph.parameter("1/weight", {branches, hidden, out}, {});
    if (is_routed) {
      route_of = route(chosen);
      const Var rows = gather(values, route_of);
      const Var layer = routed_linear(rows, weight_0, bias_0, Activation::Relu);
      mixed = combine(routed_linear(layer, weight_1, Var()), gates, route_of);
    } else {
      const Var copies = reshape(concatenate({values, values, values, values}), {branches, in});
      const Var layer = grouped_linear(copies, weight_0, bias_0, Activation::Relu);
      mixed = mix(grouped_linear(layer, weight_1, Var()), gates);
    }
    graph.add_loss("first", projected(slice(mixed, 0, 0, 1), "first"));
    graph.add_loss("second", projected(square(slice(mixed, 0, 1, 2)), "second"));
  }

  Feed feed(int64_t rows) {
    Feed feed{.rows = rows};
    auto& chosen = feed.inputs[1];  // the second node
    for (int64_t row = 0; row < rows; ++row) {
      // Row 2 takes nothing.
      for (const int64_t branch : {0, 1, 2}) chosen.push_back(row != 2 && (row + branch) % 3 != 0 ? 1 : 0);
      chosen.push_back(0);
    }
    feed.fill(graph);
    return feed;
  }
};

TEST(OperationValues, a_routed_mixture_equals_the_dense_one) {
  Mixture routed(true), dense(false);
  const Feed feed = routed.feed(23), dense_feed = dense.feed(23);
  for (const int64_t tile_rows : {2, 128}) {
    PlanOptions options{.tile_rows = tile_rows, .lanes = 3};
    PlanOptions routed_options = options, dense_options = options;
    routed_options.watched = {routed.mixed.node()};
    routed_options.watched_gradients = {routed.x.node()};
    dense_options.watched = {dense.mixed.node()};
    dense_options.watched_gradients = {dense.x.node()};
    GraphRun<double> sparse(routed.graph, feed, routed_options, 2),
        whole(dense.graph, dense_feed, dense_options);
    for (int repeat = 0; repeat < 2; ++repeat) {
      EXPECT_NEAR(sparse.step().total, whole.step().total, 1e-9);
      expect_close(sparse.value(routed.mixed.node()), whole.value(dense.mixed.node()), 1e-9, "values");
      expect_close(sparse.gradient(routed.x.node()), whole.gradient(dense.x.node()), 1e-9, "gradient of x");
      for (const std::string& path : sparse.store().paths()) {
        expect_close(sparse.parameter_gradient(path), whole.parameter_gradient(path), 1e-9, path);
      }
    }
    const std::vector<double> bias = sparse.parameter_gradient("0/bias");
    EXPECT_EQ(std::vector<double>(bias.end() - 6, bias.end()), std::vector<double>(6, 0))
        << "a branch without rows";
  }
}

TEST(OperationValues, routed_gradients_agree_with_differences) {
  Mixture routed(true);
  const Feed feed = routed.feed(9);
  EXPECT_EQ(expect_gradients(routed.graph, feed, {.tile_rows = 2, .lanes = 2}), 6);
}

TEST(OperationValues, routed_operations_refuse_what_does_not_belong_to_the_route) {
  Graph graph;
  const Var x = graph.input("x", {3});
  const Var r = route(graph.input("chosen", {2}));
  const Var other = route(graph.input("other", {2}));
  const Var rows = gather(x, r);
  EXPECT_THROW(gather(x, x), Error);
  EXPECT_THROW(gather(rows, r), Error);
  EXPECT_THROW(combine(rows, graph.input("weights", {2}), other), Error);
  EXPECT_THROW(combine(rows, graph.input("three", {3}), r), Error);
  EXPECT_THROW(add(rows, x), Error);
  EXPECT_THROW(add(rows, gather(x, other)), Error);
}

TEST(OperationValues, a_route_needs_a_weight_for_each_of_its_branches) {
  Graph graph;
  const Var r = route(graph.input("chosen", {3}));
  const Var rows = gather(graph.input("x", {2}), r);
  EXPECT_THROW(routed_linear(rows, graph.parameter("two", {2, 2, 2}, {}), Var()), Error);
  EXPECT_NO_THROW(routed_linear(rows, graph.parameter("three", {3, 2, 2}, {}), Var()));
}

TEST(OperationValues, a_batch_may_route_no_row_at_all) {
  Mixture routed(true);
  Feed feed = routed.feed(6);
  std::fill(feed.inputs[1].begin(), feed.inputs[1].end(), 0.0);
  GraphRun<double> run(routed.graph, feed, {.watched = {routed.mixed.node()}});
  run.step();
  EXPECT_EQ(run.value(routed.mixed.node()), std::vector<double>(6 * 2 * 3, 0));
  EXPECT_EQ(run.parameter_gradient("0/weight"), std::vector<double>(4 * 5 * 6, 0));
  EXPECT_EQ(run.parameter_gradient("input/weight"), std::vector<double>(25, 0));
}

TEST(OperationValues, a_routed_graph_read_back_from_json_runs_the_same) {
  Mixture routed(true);
  routed.graph.add_output("mixed", routed.mixed);
  const Feed feed = routed.feed(9);
  const auto again = Graph::from_json(routed.graph.to_json());
  EXPECT_EQ(again->to_json(), routed.graph.to_json());
  GraphRun<float> before(routed.graph, feed, {}), after(*again, feed, {});
  EXPECT_EQ(before.step().total, after.step().total);
  EXPECT_TRUE(same_bits(before.value(routed.mixed.node()), after.value(again->find("mixed"))));
}

TEST(OperationValues, the_threads_of_a_routed_mixture_do_not_change_it) {
  Mixture routed(true);
  const Feed feed = routed.feed(40);
  std::vector<float> first;
  for (const int threads : {1, 2, 4}) {
    GraphRun<float> run(routed.graph, feed, {.tile_rows = 4, .lanes = 4}, threads);
    run.step();
    std::vector<float> all;
    for (const std::string& path : run.store().paths()) {
      const std::vector<float> gradient = run.parameter_gradient(path);
      all.insert(all.end(), gradient.begin(), gradient.end());
    }
    if (first.empty()) first = all;
    EXPECT_TRUE(same_bits(first, all)) << threads;
  }
}

TEST(OperationValues, dropout_drops_at_its_rate_and_uses_the_same_mask_backwards) {
  Graph graph;
  const Var x = graph.input("x", {50});
  const Var y = dropout(x, 0.3, "layer"), other = dropout(x, 0.3, "other layer");
  graph.add_loss("task", sum(y));
  Feed feed{.rows = 400};
  feed.inputs[x.node()].assign(400 * 50, 1.0);
  feed.coefficients.assign(400, 1.0);
  PlanOptions options{.tile_rows = 16, .watched = {y.node(), other.node()}, .watched_gradients = {x.node()}};
  GraphRun<float> run(graph, feed, options);
  run.step();
  const std::vector<float> kept = run.value(y.node());
  EXPECT_TRUE(same_bits(kept, run.gradient(x.node())));
  EXPECT_FALSE(same_bits(kept, run.value(other.node())));
  double dropped = 0;
  for (const float value : kept) {
    EXPECT_TRUE(value == 0 || value == static_cast<float>(1 / 0.7)) << value;
    dropped += value == 0 ? 1 : 0;
  }
  // Five standard deviations of a binomial share.
  EXPECT_NEAR(dropped / 20000, 0.3, 5 * std::sqrt(0.3 * 0.7 / 20000));

  feed.run.step = 4;
  run.set(feed);
  run.step();
  EXPECT_FALSE(same_bits(kept, run.value(y.node()))) << "another step draws another mask";
  feed.run.is_training = false;
  run.set(feed);
  run.forward();
  EXPECT_TRUE(same_bits(run.value(y.node()), std::vector<float>(400 * 50, 1.0f)));
}

struct Normalised {
  Graph graph;
  Var x, y;
  Normalised() {
    x = graph.input("x", {3});
    y = batch_norm(x, graph.parameter("scale", {3}, {}), graph.parameter("shift", {3}, {}), "norm", 0.25,
                   1e-3);
    graph.add_loss("task", projected(square(y)));
  }
};

TEST(OperationValues, batch_norm_agrees_with_a_direct_computation) {
  Normalised model;
  Feed feed{.rows = 10};
  feed.fill(model.graph);
  const std::vector<double>& x = feed.inputs[model.x.node()];
  const std::vector<double>&scale = feed.parameters["scale"], &shift = feed.parameters["shift"];
  std::vector<double> expected(30), running(6), expected_scoring(30);
  for (int64_t i = 0; i < 3; ++i) {
    double mean = 0, variance = 0;
    for (int64_t row = 0; row < 10; ++row) mean += x[row * 3 + i] / 10;
    for (int64_t row = 0; row < 10; ++row) variance += std::pow(x[row * 3 + i] - mean, 2) / 10;
    running[i] = 0.25 * mean;
    running[3 + i] = 0.75 + 0.25 * variance * 10 / 9;
    for (int64_t row = 0; row < 10; ++row) {
      expected[row * 3 + i] = (x[row * 3 + i] - mean) / std::sqrt(variance + 1e-3) * scale[i] + shift[i];
      expected_scoring[row * 3 + i] =
          (x[row * 3 + i] - running[i]) / std::sqrt(running[3 + i] + 1e-3) * scale[i] + shift[i];
    }
  }
  GraphRun<double> run(model.graph, feed, {.tile_rows = 3, .lanes = 2, .watched = {model.y.node()}});
  run.step();
  expect_close(run.value(model.y.node()), expected, 1e-12, "training");
  ASSERT_EQ(model.graph.updates().size(), 1u);
  const std::vector<double> updated = run.value(model.graph.updates()[0].value);
  expect_close(updated, running, 1e-12, "running moments");

  GraphRun<double> scoring(model.graph, feed, {.is_training = false, .watched = {model.y.node()}});
  scoring.store().set("norm", updated);
  scoring.forward();
  expect_close(scoring.value(model.y.node()), expected_scoring, 1e-12, "scoring");
  EXPECT_EQ(expect_gradients(model.graph, feed, {.tile_rows = 3, .lanes = 2}), 3);
}

TEST(OperationValues, batch_norm_refuses_one_row_in_training_only) {
  Normalised model;
  Feed feed{.rows = 1};
  feed.fill(model.graph);
  GraphRun<float> run(model.graph, feed, {});
  try {
    run.step();
    ADD_FAILURE() << "one row was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::Data);
    EXPECT_TRUE(std::string(error.what()).starts_with("batch_norm: a batch of 1 row")) << error.what();
  }
  GraphRun<float> scoring(model.graph, feed, {.is_training = false, .watched = {model.y.node()}});
  scoring.forward();
  EXPECT_TRUE(std::isfinite(scoring.value(model.y.node())[0]));
}

// Experts per token on rows of [tokens, width]; with one token this is the flat model.
struct TokenModel {
  Graph graph;
  Var x, mixed;
  explicit TokenModel(int64_t tokens) {
    constexpr int64_t width = 5, experts = 3, hidden = 4;
    x = graph.input("x", {tokens, width});
    const Var bank = linear(x, graph.parameter("experts", {width, experts * hidden}, {}),
                            graph.parameter("bias", {experts * hidden}, {}), Activation::Relu);
    const Var gate = softmax(linear(x, graph.parameter("gate", {width, experts}, {}), Var()));
    mixed = mix(reshape(bank, {tokens, experts, hidden}), gate);
    graph.add_loss("task", sum(sum(square(mixed))));
  }
};

TEST(OperationValues, tokens_of_a_row_are_treated_as_rows_of_their_own) {
  TokenModel tokens(4), flat(1);
  Feed feed{.rows = 6}, flat_feed{.rows = 24};
  feed.coefficients.assign(6, 0.5);
  flat_feed.coefficients.assign(24, 0.5);
  feed.fill(tokens.graph);
  flat_feed.fill(flat.graph);
  PlanOptions options{.watched = {tokens.mixed.node()}, .watched_gradients = {tokens.x.node()}};
  GraphRun<double> structured(tokens.graph, feed, options), single(flat.graph, flat_feed, options);
  EXPECT_NEAR(structured.step().total, single.step().total, 1e-12);
  expect_close(structured.value(tokens.mixed.node()), single.value(flat.mixed.node()), 1e-12, "values");
  expect_close(structured.gradient(tokens.x.node()), single.gradient(flat.x.node()), 1e-12, "gradient of x");
  for (const std::string& path : structured.store().paths()) {
    expect_close(structured.parameter_gradient(path), single.parameter_gradient(path), 1e-12, path);
  }
}

}  // namespace
}  // namespace gatewise

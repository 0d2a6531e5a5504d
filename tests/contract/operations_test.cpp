// Every operation of the registry: gradients, precision, tiles and threads. Operations that need more than
// random operands (look-ups, routes) are named in `specially_tested` and have tests of their own below.
#include <filesystem>
#include <set>

#include "base/error.h"
#include "tests/engine/graph_run.h"

namespace gatewise {
namespace {

const std::set<std::string>& specially_tested() {
  static const std::set<std::string> names{"embedding", "route", "gather", "routed_linear", "combine"};
  return names;
}

// One case of an operation as a graph: Row operands are inputs, Static operands parameters.
struct CaseGraph {
  Graph graph;
  Var output;
  Feed feed;
  double largest = 0;    // magnitude of the operands
  int64_t elements = 1;  // of the largest operand

  explicit CaseGraph(const std::string& name, const OpCase& op_case) {
    std::vector<Var> operands;
    for (size_t i = 0; i < op_case.inputs.size(); ++i) {
      const Signature& signature = op_case.inputs[i];
      const std::string operand = fmt::format("{}/{}", name, i);
      operands.push_back(signature.domain == Domain::Row ? graph.input(operand, signature.shape)
                                                         : graph.parameter(operand, signature.shape, {}));
      elements = std::max(elements, signature.shape.elements());
    }
    output = graph.apply(OpRegistry::instance().make(name, op_case.options), operands);
    graph.add_output("y", output);
    feed.fill(graph, op_case.low, op_case.high, op_case.keep_from_zero);
    // Masks and conditions need zeros too.
    for (const int index : op_case.no_gradient) {
      const Node& node = graph.node(operands[index].node());
      auto& values = node.leaf == Leaf::Input ? feed.inputs[node.id] : feed.parameters[node.name];
      for (size_t i = 0; i < values.size(); i += 3) values[i] = 0;
    }
    largest = std::max({1.0, std::abs(op_case.low), std::abs(op_case.high)});
  }

  // Gives the output a loss or a penalty; returns whether any operand has a gradient.
  bool add_objective() {
    const Node& node = graph.node(output.node());
    bool has_gradient = false;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      has_gradient |= node.op->has_gradient(static_cast<int>(i));
    const Var objective = projected(output);
    output.signature().domain == Domain::Static ? graph.add_penalty("objective", objective)
                                                : graph.add_loss("objective", objective);
    feed.fill(graph);
    return has_gradient;
  }

  std::vector<int> row_inputs() const {
    std::vector<int> nodes;
    for (const Node& node : graph.nodes()) {
      if (node.leaf == Leaf::Input) nodes.push_back(node.id);
    }
    return nodes;
  }
};

template <class Visit>
void each_case(const Visit& visit) {
  int cases = 0;
  for (const std::string& name : OpRegistry::instance().names()) {
    // Options of the first case that say nothing suffice to ask for the cases only where all have defaults.
    const std::vector<OpCase> all = OpRegistry::instance().make(name, Json::object())->cases();
    for (size_t i = 0; i < all.size(); ++i) {
      SCOPED_TRACE(fmt::format("operation {}, case {}", name, i));
      visit(name, all[i]);
      ++cases;
    }
  }
  EXPECT_GT(cases, 60);
}

TEST(Operations, each_one_has_cases_or_a_test_of_its_own) {
  for (const std::string& name : OpRegistry::instance().names()) {
    const bool has_cases = !OpRegistry::instance().make(name, Json::object())->cases().empty();
    EXPECT_NE(has_cases, specially_tested().contains(name)) << name;
  }
}

TEST(Operations, each_one_is_registered_under_the_name_of_its_file) {
  std::set<std::string> stems;
  for (const auto& entry : std::filesystem::directory_iterator(GATEWISE_SOURCE_DIR "/src/graph/ops")) {
    if (entry.path().extension() == ".cpp") stems.insert(entry.path().stem().string());
  }
  const std::vector<std::string> names = OpRegistry::instance().names();
  EXPECT_EQ(stems, std::set<std::string>(names.begin(), names.end()));
}

TEST(Operations, attributes_make_the_same_operation_again) {
  each_case([](const std::string& name, const OpCase& op_case) {
    const auto op = OpRegistry::instance().make(name, op_case.options);
    EXPECT_EQ(op->name(), name);
    const auto again = OpRegistry::instance().make(name, op->attributes());
    EXPECT_EQ(again->attributes(), op->attributes());
    EXPECT_EQ(again->infer(op_case.inputs), op->infer(op_case.inputs));
  });
}

TEST(Operations, refuse_a_wrong_number_of_inputs_by_name) {
  for (const std::string& name : OpRegistry::instance().names()) {
    const auto op = OpRegistry::instance().make(name, Json::object());
    try {
      op->infer({});
      ADD_FAILURE() << name << " takes no inputs at all";
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::Command) << name;
      EXPECT_TRUE(std::string(error.what()).starts_with(name + ": ")) << error.what();
    }
  }
}

TEST(Operations, gradients_agree_with_differences) {
  each_case([](const std::string& name, const OpCase& op_case) {
    CaseGraph built(name, op_case);
    const auto& op = *built.graph.node(built.output.node()).op;
    size_t differentiable = 0;
    for (size_t i = 0; i < op_case.inputs.size(); ++i) {
      const bool is_listed =
          std::find(op_case.no_gradient.begin(), op_case.no_gradient.end(), i) != op_case.no_gradient.end();
      EXPECT_NE(op.has_gradient(static_cast<int>(i)), is_listed) << "input " << i;
      differentiable += is_listed ? 0 : 1;
    }
    if (!built.add_objective()) return;
    EXPECT_EQ(expect_gradients(built.graph, built.feed), static_cast<int>(differentiable));
  });
}

TEST(Operations, gradients_add_to_what_is_there) {
  // Every operand is also used a second time, so that one of the two gradients has to be added.
  each_case([](const std::string& name, const OpCase& op_case) {
    CaseGraph built(name, op_case);
    if (!built.add_objective()) return;
    const Node node = built.graph.node(built.output.node());
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.op->has_gradient(static_cast<int>(i))) continue;
      const Var again = projected(Var(&built.graph, node.inputs[i]), "again");
      again.signature().domain == Domain::Static ? built.graph.add_penalty(fmt::format("again {}", i), again)
                                                 : built.graph.add_loss(fmt::format("again {}", i), again);
    }
    built.feed.coefficients.clear();
    built.feed.fill(built.graph);
    expect_gradients(built.graph, built.feed);
  });
}

TEST(Operations, float_agrees_with_double) {
  for (const bool is_training : {true, false}) {
    each_case([&](const std::string& name, const OpCase& op_case) {
      CaseGraph built(name, op_case);
      built.feed.run.is_training = is_training;
      PlanOptions options;
      options.is_training = false;
      GraphRun<float> narrow(built.graph, built.feed, options);
      GraphRun<double> wide(built.graph, built.feed, options);
      narrow.forward();
      wide.forward();
      const std::vector<float> actual = narrow.value(built.output.node());
      const std::vector<double> expected = wide.value(built.output.node());
      double size = built.largest;
      for (const double value : expected) size = std::max(size, std::abs(value));
      // Each element is a chain of at most `elements` operations, each rounding values of at most `size`.
      const double tolerance =
          std::numeric_limits<float>::epsilon() * size * static_cast<double>(4 + built.elements);
      for (size_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(actual[i], expected[i], tolerance) << "element " << i;
    });
  }
}

TEST(Operations, tiles_do_not_change_rows) {
  each_case([](const std::string& name, const OpCase& op_case) {
    CaseGraph built(name, op_case);
    if (!built.add_objective()) return;
    std::vector<std::vector<float>> first;
    for (const int64_t tile_rows : {1, 3, 128}) {
      PlanOptions options{.tile_rows = tile_rows, .lanes = 1};
      options.watched_gradients = built.row_inputs();
      GraphRun<float> run(built.graph, built.feed, options);
      run.step();
      std::vector<std::vector<float>> results{run.value(built.output.node())};
      for (const int input : built.row_inputs()) {
        if (run.plan().has_gradient[input]) results.push_back(run.gradient(input));
      }
      if (first.empty()) first = results;
      for (size_t i = 0; i < results.size(); ++i) EXPECT_TRUE(same_bits(first[i], results[i])) << tile_rows;
    }
  });
}

TEST(Operations, threads_do_not_change_anything) {
  each_case([](const std::string& name, const OpCase& op_case) {
    CaseGraph built(name, op_case);
    if (!built.add_objective()) return;
    std::vector<std::vector<float>> first;
    for (const int threads : {1, 2, 4}) {
      PlanOptions options{.tile_rows = 1, .lanes = 4};
      options.watched_gradients = built.row_inputs();
      GraphRun<float> run(built.graph, built.feed, options, threads);
      run.step();
      std::vector<std::vector<float>> results{run.value(built.output.node())};
      for (const Node& node : built.graph.nodes()) {
        if (!run.plan().has_gradient[node.id]) continue;
        if (node.leaf == Leaf::Input) results.push_back(run.gradient(node.id));
        if (node.leaf == Leaf::Parameter) results.push_back(run.parameter_gradient(node.name));
      }
      if (first.empty()) first = results;
      for (size_t i = 0; i < results.size(); ++i) EXPECT_TRUE(same_bits(first[i], results[i])) << threads;
    }
  });
}

std::vector<double> forward_of(const Graph& graph, const Feed& feed, Var output) {
  GraphRun<double> run(graph, feed, {.is_training = false, .watched = {output.node()}});
  run.forward();
  return run.value(output.node());
}

TEST(Operations, masked_softmax_gives_zeros_where_everything_is_masked) {
  Graph graph;
  const Var x = graph.input("x", {3}), mask = graph.input("mask", {3});
  const Var y = masked_softmax(x, mask);
  Feed feed{.rows = 3};
  feed.inputs[x.node()] = {1, 2, 3, 1, 2, 3, 800, 2, 800};
  feed.inputs[mask.node()] = {0, 0, 0, 1, 0, 1, 1, 1, 1};
  const double low = 1 / (1 + std::exp(2));
  expect_close(forward_of(graph, feed, y), {0, 0, 0, low, 0, 1 - low, 0.5, 0, 0.5}, 1e-15, "weights");
}

TEST(Operations, top_k_prefers_the_first_of_equals_and_keeps_zeros_open) {
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

TEST(Operations, moments_stay_exact_far_from_zero) {
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

TEST(Operations, embedding_looks_up_single_ids_and_pools_bags) {
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

TEST(Operations, a_routed_mixture_equals_the_dense_one) {
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

TEST(Operations, routed_gradients_agree_with_differences) {
  Mixture routed(true);
  const Feed feed = routed.feed(9);
  EXPECT_EQ(expect_gradients(routed.graph, feed, {.tile_rows = 2, .lanes = 2}), 6);
}

TEST(Operations, routed_operations_refuse_what_does_not_belong_to_the_route) {
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

TEST(Operations, a_route_needs_a_weight_for_each_of_its_branches) {
  Graph graph;
  const Var r = route(graph.input("chosen", {3}));
  const Var y =
      routed_linear(gather(graph.input("x", {2}), r), graph.parameter("weight", {2, 2, 2}, {}), Var());
  graph.add_output("y", combine(y, graph.constant({1, 1, 1}, {3}), r));
  Feed feed;
  feed.fill(graph);
  GraphRun<float> run(graph, feed, {.is_training = false});
  EXPECT_THROW(run.forward(), Error);
}

TEST(Operations, a_batch_may_route_no_row_at_all) {
  Mixture routed(true);
  Feed feed = routed.feed(6);
  std::fill(feed.inputs[1].begin(), feed.inputs[1].end(), 0.0);
  GraphRun<double> run(routed.graph, feed, {.watched = {routed.mixed.node()}});
  run.step();
  EXPECT_EQ(run.value(routed.mixed.node()), std::vector<double>(6 * 2 * 3, 0));
  EXPECT_EQ(run.parameter_gradient("0/weight"), std::vector<double>(4 * 5 * 6, 0));
  EXPECT_EQ(run.parameter_gradient("input/weight"), std::vector<double>(25, 0));
}

TEST(Operations, a_routed_graph_read_back_from_json_runs_the_same) {
  Mixture routed(true);
  routed.graph.add_output("mixed", routed.mixed);
  const Feed feed = routed.feed(9);
  const auto again = Graph::from_json(routed.graph.to_json());
  EXPECT_EQ(again->to_json(), routed.graph.to_json());
  GraphRun<float> before(routed.graph, feed, {}), after(*again, feed, {});
  EXPECT_EQ(before.step().total, after.step().total);
  EXPECT_TRUE(same_bits(before.value(routed.mixed.node()), after.value(again->find("mixed"))));
}

TEST(Operations, the_threads_of_a_routed_mixture_do_not_change_it) {
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

TEST(Operations, dropout_drops_at_its_rate_and_uses_the_same_mask_backwards) {
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

TEST(Operations, batch_norm_agrees_with_a_direct_computation) {
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

TEST(Operations, batch_norm_refuses_one_row_in_training_only) {
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

TEST(Operations, tokens_of_a_row_are_treated_as_rows_of_their_own) {
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

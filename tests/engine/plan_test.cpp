// What a plan arranges, and that models that need the arrangement have the right gradients.
#include "base/error.h"
#include "engine/planner.h"
#include "tests/engine/graph_run.h"

namespace gatewise {
namespace {

// Small tiles and several lanes, so that every boundary is crossed.
PlanOptions small_tiles() { return {.tile_rows = 2, .lanes = 3}; }

Plan plan_of(const Graph& graph, const PlanOptions& options = {}) {
  // The layout outlives the plan of a test.
  static std::vector<std::unique_ptr<Layout>> layouts;
  layouts.push_back(std::make_unique<Layout>(graph));
  return Plan(graph, *layouts.back(), options);
}

bool runs_forward(const Plan& plan, Var value) {
  for (const Pass& pass : plan.passes) {
    for (const Step& step : pass.steps) {
      if (step.kind == StepKind::Forward && step.node == value.node()) return true;
    }
  }
  return false;
}

int count_fills(const Plan& plan) {
  int count = 0;
  for (const Pass& pass : plan.passes) {
    for (const Step& step : pass.steps) count += step.kind == StepKind::Fill ? 1 : 0;
  }
  return count;
}

void expect_all_gradients(const Graph& graph, int tensors, Feed feed = {}) {
  feed.fill(graph);
  EXPECT_EQ(expect_gradients(graph, feed, {}), tensors);
  EXPECT_EQ(expect_gradients(graph, feed, small_tiles()), tensors);
}

TEST(Plan, a_balance_penalty_puts_the_gates_into_a_phase_before_the_experts) {
  Graph graph;
  const Var x = graph.input("x", {5});
  const Var bottom = layer(x, "bottom", 6);
  const Var gates = softmax(layer(bottom, "gate", 4, Activation::None));
  const Var experts = layer(bottom, "experts", 12);
  const Var mixed = mix(reshape(experts, {4, 3}), gates);
  const Var load = batch_sum(gates);
  graph.add_penalty("balance", sum(square(load)));
  graph.add_loss("task", projected(mixed));
  const Plan plan = plan_of(graph);
  EXPECT_EQ(plan.phase[gates.node()], 0);
  EXPECT_EQ(plan.phase[load.node()], 0);
  EXPECT_EQ(plan.phase[experts.node()], 2);
  EXPECT_EQ(plan.phase[mixed.node()], 2);
  ASSERT_EQ(plan.passes.size(), 3u);
  EXPECT_FALSE(plan.passes[0].has_backward);
  EXPECT_TRUE(plan.passes[1].has_forward && plan.passes[1].has_backward);
  EXPECT_TRUE(!plan.passes[2].has_forward && plan.passes[2].has_backward);
  EXPECT_EQ(plan.places[gates.node()].storage, Storage::Batch) << "it crosses the boundary";
  EXPECT_EQ(plan.places[experts.node()].storage, Storage::Tile);
  expect_all_gradients(graph, 7);
}

TEST(Plan, a_model_without_reductions_is_one_fused_pass) {
  Graph graph;
  graph.add_loss("task", projected(layer(layer(graph.input("x", {3}), "0", 4), "1", 2)));
  const Plan plan = plan_of(graph);
  ASSERT_EQ(plan.passes.size(), 1u);
  EXPECT_TRUE(plan.passes[0].has_forward && plan.passes[0].has_backward);
  for (const Root& root : plan.roots) EXPECT_FALSE(root.is_batch || root.is_gradient_batch);
}

TEST(Plan, batch_normed_experts_have_the_right_gradients) {
  Graph graph;
  const Var x = graph.input("x", {4});
  const auto normed = [&](Var value, const std::string& path) {
    return relu(batch_norm(value, graph.parameter(path + "/scale", value.shape(), {}),
                           graph.parameter(path + "/shift", value.shape(), {}), path + "/moments"));
  };
  const Var first = normed(reshape(layer(x, "experts", 6, Activation::None), {2, 3}), "norm_0");
  const Var weight = graph.parameter("second", {2, 3, 3}, {});
  const Var second = normed(grouped_linear(first, weight, Var()), "norm_1");
  graph.add_loss("task", projected(mix(second, softmax(layer(x, "gate", 2, Activation::None)))));
  const Plan plan = plan_of(graph);
  EXPECT_EQ(plan.phase[first.node()], 2);
  EXPECT_EQ(plan.phase[second.node()], 4);
  expect_all_gradients(graph, 10);
}

TEST(Plan, views_and_joined_parts_share_memory) {
  Graph graph;
  const Var x = graph.input("x", {4});
  const Var a = layer(x, "a", 3), b = layer(x, "b", 5);
  const Var whole = concatenate({a, b});
  const Var grouped = reshape(whole, {4, 2});
  const Var part = slice(grouped, 0, 1, 3);
  const Var strided = slice(grouped, 1, 0, 1);
  graph.add_loss("task", add(add(projected(part), projected(square(strided), "strided")), projected(a, "a")));
  const Plan plan = plan_of(graph);
  const int root = plan.places[whole.node()].root;
  for (const Var& value : {a, b, grouped, part}) EXPECT_EQ(plan.places[value.node()].root, root);
  EXPECT_EQ(plan.places[a.node()].offset, 0);
  EXPECT_EQ(plan.places[b.node()].offset, 3);
  EXPECT_EQ(plan.places[part.node()].offset, 2);
  EXPECT_NE(plan.places[strided.node()].root, root);
  for (const size_t i : {0, 1}) EXPECT_TRUE(is_joined_in_place(plan, graph.node(whole.node()), i));
  EXPECT_FALSE(runs_forward(plan, grouped));
  EXPECT_FALSE(runs_forward(plan, part));
  EXPECT_TRUE(runs_forward(plan, strided));
  expect_all_gradients(graph, 5);
}

TEST(Plan, a_part_that_is_joined_twice_is_copied_once) {
  Graph graph;
  const Var a = layer(graph.input("x", {4}), "a", 3);
  const Var whole = concatenate({a, a});
  graph.add_loss("task", projected(square(whole)));
  const Plan plan = plan_of(graph);
  EXPECT_TRUE(is_joined_in_place(plan, graph.node(whole.node()), 0));
  EXPECT_FALSE(is_joined_in_place(plan, graph.node(whole.node()), 1));
  expect_all_gradients(graph, 3);
}

TEST(Plan, one_reader_of_a_fused_relu_masks_its_gradient) {
  for (const bool is_read_twice : {false, true}) {
    Graph graph;
    const Var x = graph.input("x", {4});
    const Var hidden = layer(x, "experts", 6, Activation::Relu);
    const Var experts = reshape(hidden, {2, 3});
    Var result = projected(mix(experts, softmax(layer(x, "gate", 2, Activation::None))));
    if (is_read_twice) result = add(result, projected(square(experts), "again"));
    graph.add_loss("task", result);
    EXPECT_EQ(plan_of(graph).is_masked[hidden.node()], !is_read_twice);
    expect_all_gradients(graph, 5);
  }
}

TEST(Plan, gradients_of_partly_used_values_are_cleared_where_nothing_is_written) {
  Graph graph;
  const Var value = layer(graph.input("x", {4}), "layer", 8);
  const Var left = slice(value, 0, 1, 4), right = slice(value, 0, 3, 6);
  graph.add_loss("task", projected(multiply(left, right)));
  EXPECT_GT(count_fills(plan_of(graph)), 0);
  expect_all_gradients(graph, 3);
}

TEST(Plan, values_used_in_full_need_no_clearing) {
  Graph graph;
  const Var value = layer(graph.input("x", {4}), "layer", 6);
  graph.add_loss("task", projected(multiply(slice(value, 0, 0, 3), slice(value, 0, 3, 6))));
  EXPECT_EQ(count_fills(plan_of(graph)), 0);
  expect_all_gradients(graph, 3);
}

TEST(Plan, gradients_of_several_consumers_add_up) {
  Graph graph;
  const Var x = graph.input("x", {4});
  const Var shared = layer(x, "shared", 5);
  graph.add_loss("one", projected(layer(shared, "one", 2)));
  graph.add_loss("two", projected(multiply(shared, shared)));
  graph.add_loss("three", projected(add(slice(shared, 0, 1, 3), slice(shared, 0, 2, 4)), "three"));
  Feed feed;
  feed.task_weights = {1, 0.25, 2};
  expect_all_gradients(graph, 5, feed);
}

TEST(Plan, one_loss_node_may_serve_two_tasks) {
  Graph graph;
  const Var loss = projected(layer(graph.input("x", {4}), "layer", 3));
  graph.add_loss("one", loss);
  graph.add_loss("two", loss);
  expect_all_gradients(graph, 3);
}

TEST(Plan, stop_gradient_cuts_the_gradient_wherever_the_value_goes) {
  for (const bool is_joined : {false, true}) {
    Graph graph;
    const Var hidden = layer(graph.input("x", {4}), "hidden", 3);
    const Var cut = stop_gradient(hidden);
    const Var seen = is_joined ? concatenate({cut, layer(hidden, "other", 2)}) : multiply(cut, cut);
    const Var loss = projected(layer(seen, "top", 2));
    graph.add_loss("task", loss);
    Feed feed;
    feed.fill(graph);
    // The same model in which the cut value is an input of its own.
    Graph apart;
    const Var apart_hidden = layer(apart.input("x", {4}), "hidden", 3);
    const Var given = apart.input("given", {3});
    const Var apart_seen =
        is_joined ? concatenate({given, layer(apart_hidden, "other", 2)}) : multiply(given, given);
    apart.add_loss("task", projected(layer(apart_seen, "top", 2)));
    GraphRun<double> run(graph, feed, {.watched = {hidden.node()}});
    run.step();
    Feed apart_feed;
    apart_feed.inputs[given.node()] = run.value(hidden.node());
    apart_feed.fill(apart);
    GraphRun<double> expected(apart, apart_feed, {});
    EXPECT_NEAR(run.step().total, expected.step().total, 1e-12);
    for (const std::string& path : run.store().paths()) {
      expect_close(run.parameter_gradient(path), expected.parameter_gradient(path), 1e-12, path);
    }
    EXPECT_EQ(run.plan().has_gradient[hidden.node()], is_joined);
  }
}

TEST(Plan, penalties_reach_parameters_and_reductions_directly) {
  Graph graph;
  const Var x = graph.input("x", {4});
  const Var weight = graph.parameter("weight", {4, 2}, {}), alone = graph.parameter("alone", {}, {});
  const Var y = linear(x, weight, Var());
  graph.add_loss("task", projected(y));
  graph.add_penalty("decay", sum(sum(square(weight))));
  graph.add_penalty("alone", alone);
  graph.add_penalty("mean", row_mean(projected(square(y), "mean")));
  expect_all_gradients(graph, 3);
}

TEST(Plan, penalties_are_enough_to_train) {
  Graph rows;
  rows.add_penalty("mean", row_mean(projected(square(layer(rows.input("x", {4}), "layer", 3)))));
  expect_all_gradients(rows, 3);
  Graph parameters;
  parameters.add_penalty("decay", projected(square(parameters.parameter("weight", {4, 2}, {}))));
  expect_all_gradients(parameters, 1);
}

TEST(Plan, frozen_parameters_have_no_gradient_and_their_losses_are_still_measured) {
  Graph graph;
  const Var x = graph.input("x", {4});
  const Var frozen = graph.parameter("frozen", {4, 3}, {}), free = graph.parameter("free", {3, 2}, {});
  graph.set_trainable(frozen.node(), false);
  const Var hidden = linear(x, frozen, Var());
  graph.add_loss("top", projected(linear(hidden, free, Var())));
  graph.add_loss("bottom", projected(hidden));
  Feed feed;
  feed.fill(graph);
  GraphRun<double> run(graph, feed, small_tiles());
  const StepResult result = run.step();
  EXPECT_FALSE(run.plan().has_gradient[hidden.node()]);
  EXPECT_EQ(run.parameter_gradient("frozen"), std::vector<double>(12, 0));
  EXPECT_EQ(expect_gradients(graph, feed), 2);
  graph.set_trainable(frozen.node(), true);
  GraphRun<double> whole(graph, feed, small_tiles());
  const StepResult expected = whole.step();
  EXPECT_EQ(result.losses, expected.losses);
  EXPECT_NE(result.losses[1], 0);
}

TEST(Plan, a_model_that_nothing_can_train_is_refused) {
  Graph graph;
  const Var weight = graph.parameter("weight", {4, 3}, {});
  graph.set_trainable(weight.node(), false);
  graph.add_loss("task", projected(linear(graph.input("x", {4}), weight, Var())));
  EXPECT_THROW(plan_of(graph), Error);
}

TEST(Plan, watched_values_and_gradients_are_kept_for_the_whole_batch) {
  Graph graph;
  const Var x = graph.input("x", {4});
  const Var hidden = tanh(layer(x, "hidden", 3, Activation::None));
  const Var loss = projected(square(hidden));
  graph.add_loss("task", loss);
  Feed feed{.rows = 11};
  feed.fill(graph);
  PlanOptions options = small_tiles();
  GraphRun<double> unwatched(graph, feed, options);
  unwatched.step();
  EXPECT_THROW(unwatched.value(hidden.node()), Error);
  EXPECT_THROW(unwatched.gradient(hidden.node()), Error);
  options.watched = options.watched_gradients = {hidden.node()};
  GraphRun<double> run(graph, feed, options);
  run.step();
  const std::vector<double> value = run.value(hidden.node()), gradient = run.gradient(hidden.node());
  const RandomStream stream(13, "projection");
  for (int64_t row = 0; row < 11; ++row) {
    for (int64_t i = 0; i < 3; ++i) {
      const double factor = static_cast<float>(0.3 + stream.uniform(0, static_cast<uint64_t>(i), 0));
      EXPECT_NEAR(gradient[row * 3 + i], 2 * value[row * 3 + i] * factor * feed.coefficients[row], 1e-14);
    }
  }
  for (const std::string& path : run.store().paths()) {
    EXPECT_EQ(run.parameter_gradient(path), unwatched.parameter_gradient(path)) << path;
  }
}

TEST(Plan, a_training_program_can_run_forward_alone) {
  Graph graph;
  const Var x = graph.input("x", {4});
  const Var gates = softmax(layer(x, "gate", 3, Activation::None));
  const Var weight = graph.parameter("top", {3, 2}, {});
  graph.add_penalty("balance", sum(square(batch_sum(gates))));
  graph.add_penalty("decay", sum(sum(square(weight))));
  const Var y = linear(gates, weight, Var());
  graph.add_loss("task", projected(y));
  graph.add_output("y", y);
  Feed feed;
  feed.fill(graph);
  GraphRun<double> training(graph, feed, small_tiles()), scoring(graph, feed, {.is_training = false});
  training.step();
  const std::vector<double> gate = training.parameter_gradient("gate/weight"),
                            top = training.parameter_gradient("top");
  Feed bare = feed;
  bare.coefficients.clear();
  training.set(bare);
  training.forward();
  scoring.forward();
  EXPECT_EQ(training.value(y.node()), scoring.value(y.node()));
  EXPECT_EQ(training.parameter_gradient("gate/weight"), gate) << "only a step changes gradients";
  EXPECT_EQ(training.parameter_gradient("top"), top);
}

TEST(Plan, matrices_that_the_graph_computes_are_never_stale) {
  Graph graph;
  const Var hidden = layer(graph.input("x", {4}), "hidden", 5);
  const Var weight = product(graph.parameter("left", {5, 2}, {}), graph.parameter("right", {2, 6}, {}));
  graph.add_loss("task", projected(linear(hidden, weight, Var())));
  expect_all_gradients(graph, 5);
}

TEST(Plan, partly_used_routed_values_have_the_right_gradients) {
  Graph graph;
  const Var x = graph.input("x", {4}), chosen = graph.input("chosen", {3}),
            weights = graph.input("weights", {3});
  const Var hidden = layer(x, "hidden", 6);
  const Var r = route(chosen);
  const Var part = slice(gather(hidden, r), 0, 1, 3);
  const Var wide = routed_linear(part, graph.parameter("weight", {3, 2, 4}, {}), Var());
  const Var both = combine(wide, weights, r), some = combine(slice(wide, 0, 1, 3), square(weights), r);
  graph.add_loss("task", add(projected(both), projected(square(some), "some")));
  Feed feed{.rows = 8};
  for (int64_t i = 0; i < 24; ++i) feed.inputs[chosen.node()].push_back(i % 5 < 3 ? 1 : 0);
  feed.fill(graph);
  EXPECT_EQ(expect_gradients(graph, feed, small_tiles()), 5);
}

// A sum over two look-ups of one table and a bag, with the table kept densely or apart.
struct LookUps {
  Graph graph;
  Feed feed;
  explicit LookUps(Pooling pooling) {
    const Var single = graph.ids("single"), bag = graph.ids("bag");
    const Var table = graph.table("table", 40, 3, {}), other = graph.table("other", 5, 2, {});
    const Var joined_up = concatenate(
        {embedding(single, table), embedding(bag, table, pooling), embedding(bag, other, pooling)});
    graph.add_loss("task", projected(layer(joined_up, "layer", 4)));
    feed.rows = 5;
    feed.ids[single.node()] = {{3, 3, 39, 0, 3}, {}, {}};
    feed.ids[bag.node()] = {{3, 1, 1, 4, 2}, {0, 2, 2, 3, 5, 5}, {1, 0.5f, 2, 0.25f, 1}};
    feed.fill(graph);
  }
};

TEST(Plan, gradients_of_tables_agree_with_differences_dense_and_apart) {
  for (const Pooling pooling : {Pooling::Sum, Pooling::Mean}) {
    LookUps model(pooling);
    EXPECT_EQ(expect_gradients(model.graph, model.feed, small_tiles()), 4);
    EXPECT_EQ(expect_gradients(model.graph, model.feed, small_tiles(), 1e-6, 10), 4);
  }
}

TEST(Plan, big_tables_name_the_touched_rows_only) {
  LookUps model(Pooling::Sum);
  GraphRun<double> apart(model.graph, model.feed, small_tiles(), 2, 10),
      dense(model.graph, model.feed, small_tiles());
  EXPECT_EQ(apart.step().total, dense.step().total);
  ASSERT_EQ(apart.program().table_gradients().size(), 1u);
  EXPECT_EQ(apart.program().table_gradients()[0].ids, (std::vector<uint32_t>{0, 1, 2, 3, 4, 39}));
  EXPECT_TRUE(dense.program().table_gradients().empty());
  for (const std::string& path : apart.store().paths()) {
    expect_close(apart.parameter_gradient(path), dense.parameter_gradient(path), 1e-14, path);
  }
}

}  // namespace
}  // namespace gatewise

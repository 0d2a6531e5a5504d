// Models whose rows pass several phases: statistics of the batch, routes one after another, values kept or
// computed again.
#include "base/error.h"
#include "tests/engine/graph_run.h"

namespace gatewise {
namespace {

void expect_all_gradients(const Graph& graph, const Feed& feed, int tensors) {
  EXPECT_EQ(expect_gradients(graph, feed), tensors);
  EXPECT_EQ(expect_gradients(graph, feed, {.tile_rows = 2, .lanes = 3}), tensors);
}

TEST(Phases, what_a_gradient_needs_is_computed_again_in_an_earlier_phase) {
  Graph graph;
  const Var hidden = layer(graph.input("x", {4}), "hidden", 6, Activation::None);
  const Var normed = layer_norm(reshape(hidden, {2, 3}), graph.parameter("scale", {2, 3}, {}),
                                graph.parameter("shift", {2, 3}, {}));
  const Var kept = top_k(dropout(normed, 0.25, "drop"), 2);
  const Var again = batch_norm(kept, graph.parameter("batch/scale", {2, 3}, {}),
                               graph.parameter("batch/shift", {2, 3}, {}), "batch/moments");
  graph.add_loss("task", projected(square(add(again, normed))));
  Feed feed;
  feed.fill(graph);
  expect_all_gradients(graph, feed, 7);
}

TEST(Phases, a_loss_may_also_feed_a_reduction) {
  Graph graph;
  const Var loss = projected(square(layer(graph.input("x", {4}), "layer", 3)));
  graph.add_loss("task", loss);
  graph.add_penalty("squared mean", square(row_mean(loss)));
  Feed feed;
  feed.fill(graph);
  expect_all_gradients(graph, feed, 3);
}

TEST(Phases, statistics_of_statistics_take_a_phase_each) {
  Graph graph;
  const Var x = layer(graph.input("x", {4}), "layer", 3, Activation::None);
  const Var centred = subtract(x, row_mean(x));
  const Var spread = row_mean(square(centred));
  const Var scaled = divide(centred, sqrt(add(spread, graph.constant({0.1}, {}))));
  graph.add_penalty("kurtosis", sum(row_mean(square(square(scaled)))));
  graph.add_loss("task", projected(tanh(scaled)));
  Feed feed;
  feed.fill(graph);
  expect_all_gradients(graph, feed, 3);
}

// Two layers of 3 experts, of which each row takes the best 2, with a balance penalty on the first gate.
TEST(Phases, routed_layers_follow_each_other) {
  Graph graph;
  const Var x = graph.input("x", {4});
  const auto routed_layer = [&](Var value, const std::string& path) {
    const Var gates = softmax(layer(value, path + "/gate", 3, Activation::None));
    const Var kept = top_k(gates, 2);
    const Var r = route(kept);
    const Var rows = routed_linear(gather(value, r), graph.parameter(path + "/weight", {3, 4, 4}, {}),
                                   graph.parameter(path + "/bias", {3, 4}, {}), Activation::Relu);
    if (path == "0") graph.add_penalty("balance", sum(square(batch_sum(gates))));
    return add(value, combine(rows, kept, r));
  };
  const Var first = routed_layer(layer(x, "bottom", 4), "0");
  const Var second = routed_layer(first, "1");
  graph.add_loss("first", projected(square(first), "first"));
  graph.add_loss("second", projected(second));
  Feed feed{.rows = 9};
  feed.fill(graph);
  expect_all_gradients(graph, feed, 11);
  GraphRun<double> run(graph, feed, {});
  EXPECT_EQ(run.plan().phase[second.node()], 4);
}

TEST(Phases, batches_of_other_sizes_follow_each_other_in_one_program) {
  Graph graph;
  const Var x = graph.input("x", {4});
  const Var gates = softmax(layer(x, "gate", 3, Activation::None));
  const Var r = route(top_k(gates, 1));
  const Var rows = routed_linear(gather(x, r), graph.parameter("weight", {3, 4, 2}, {}), Var());
  graph.add_penalty("balance", sum(square(row_mean(gates))));
  graph.add_loss("task", projected(combine(rows, gates, r)));
  PlanOptions options{.tile_rows = 4, .lanes = 2};
  options.watched_gradients = {x.node()};
  Feed first{.rows = 6};
  first.fill(graph);
  GraphRun<double> reused(graph, first, options);
  for (const int64_t count : {6, 21, 1, 13}) {
    Feed feed{.rows = count};
    feed.fill(graph);
    reused.set(feed);
    GraphRun<double> fresh(graph, feed, options);
    EXPECT_EQ(reused.step().total, fresh.step().total) << count;
    EXPECT_EQ(reused.gradient(x.node()), fresh.gradient(x.node())) << count;
    for (const std::string& path : fresh.store().paths()) {
      EXPECT_EQ(reused.parameter_gradient(path), fresh.parameter_gradient(path))
          << count << " rows, " << path;
    }
  }
}

TEST(Phases, numbers_given_with_the_batch_count_in_rows_and_in_penalties) {
  Graph graph;
  const Var temperature = graph.scalar("temperature"), strength = graph.scalar("strength");
  const Var logits = layer(graph.input("x", {4}), "gate", 3, Activation::None);
  const Var gates = softmax(divide(logits, temperature));
  graph.add_loss("task", projected(square(gates)));
  graph.add_penalty("balance", multiply(sum(square(row_mean(gates))), strength));
  Feed feed;
  feed.scalars = {{temperature.node(), 0.5}, {strength.node(), 2}};
  feed.fill(graph);
  expect_all_gradients(graph, feed, 3);
  // One program takes other numbers at every step.
  GraphRun<double> run(graph, feed, {});
  const StepResult first = run.step();
  Feed other = feed;
  other.scalars[strength.node()] = 6;
  run.set(other);
  EXPECT_NEAR(run.step().penalties[0], 3 * first.penalties[0], 1e-14);
  other.scalars[temperature.node()] = 1e9;
  run.set(other);
  EXPECT_NEAR(run.step().penalties[0], 6.0 / 3, 1e-9) << "all experts alike";
  const auto copy = Graph::from_json(graph.to_json());
  GraphRun<double> again(*copy, feed, {});
  EXPECT_EQ(again.step().total, first.total);
  other.scalars.erase(strength.node());
  GraphRun<double> without(graph, other, {});
  EXPECT_THROW(without.step(), Error);
}

}  // namespace
}  // namespace gatewise

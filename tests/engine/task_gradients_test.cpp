// Gradients of each task apart: of all parameters, of chosen ones, or stopped at a value.
#include "tests/engine/graph_run.h"

namespace gatewise {
namespace {

// Two tasks over a shared layer; `normed` adds statistics of the batch, and so a second phase.
struct TwoTasks {
  Graph graph;
  Var shared;
  Feed feed{.rows = 11};

  explicit TwoTasks(bool is_normed) {
    const Var bottom = layer(graph.input("x", {4}), "bottom", 6);
    const Var weight = graph.parameter("shared/weight", {6, 5}, {});
    shared = linear(bottom, weight, graph.parameter("shared/bias", {5}, {}));
    Var seen = tanh(shared);
    if (is_normed) {
      seen =
          batch_norm(seen, graph.parameter("scale", {5}, {}), graph.parameter("shift", {5}, {}), "moments");
    }
    graph.add_loss("one", projected(square(layer(seen, "one", 2))));
    graph.add_loss("two", projected(layer(seen, "two", 3), "two"));
    graph.add_penalty("decay", projected(square(weight)));
    // A reduction that no gradient of a task passes.
    graph.add_penalty("balance", sum(square(row_mean(layer(bottom, "gate", 3)))));
    feed.fill(graph);
  }

  int parameter(const std::string& path) const {
    for (const Node& node : graph.nodes()) {
      if (node.name == path) return node.id;
    }
    return -1;
  }
};

template <class Check>
void each_setting(const Check& check) {
  for (const bool is_normed : {false, true}) {
    for (const bool keeps_values : {false, true}) {
      SCOPED_TRACE(fmt::format("batch norm {}, values kept {}", is_normed, keeps_values));
      check(is_normed, PlanOptions{.tile_rows = 4, .lanes = 2, .keeps_values = keeps_values});
    }
  }
}

TEST(TaskGradients, of_a_chosen_parameter_are_those_of_the_whole_and_nothing_else_is_computed) {
  each_setting([](bool is_normed, PlanOptions options) {
    const TwoTasks model(is_normed);
    GraphRun<double> whole(model.graph, model.feed, options);
    const auto all = whole.task_gradients();
    options.differentiated = {model.parameter("shared/weight")};
    GraphRun<double> run(model.graph, model.feed, options);
    const auto chosen = run.task_gradients();
    EXPECT_FALSE(run.plan().has_gradient[model.parameter("bottom/weight")]);
    EXPECT_FALSE(run.plan().has_gradient[model.parameter("one/weight")]);
    const ParameterPlace& place = run.store().layout().places[run.store().block("shared/weight").place];
    for (size_t task = 0; task < 2; ++task) {
      double size = 0;
      for (int64_t i = 0; i < chosen[task].arena.size(); ++i) {
        const bool is_chosen = i >= place.offset && i < place.offset + place.extent();
        ASSERT_NEAR(chosen[task].arena[i], is_chosen ? all[task].arena[i] : 0, 1e-14) << task << " at " << i;
        size += std::abs(chosen[task].arena[i]);
      }
      EXPECT_GT(size, 0.1);
    }
  });
}

TEST(TaskGradients, stop_at_a_value) {
  each_setting([](bool is_normed, PlanOptions options) {
    const TwoTasks model(is_normed);
    const int shared = model.shared.node();
    PlanOptions stopped = options;
    stopped.differentiated = {shared};
    GraphRun<double> run(model.graph, model.feed, stopped);
    const auto gradients = run.task_gradients();
    for (const char* path : {"bottom/weight", "shared/weight", "shared/bias", "one/weight"})
      EXPECT_FALSE(run.plan().has_gradient[model.parameter(path)]) << path;
    options.watched_gradients = {shared};
    for (size_t task = 0; task < 2; ++task) {
      Feed alone = model.feed;
      alone.task_weights = {task == 0 ? 1.0 : 0.0, task == 1 ? 1.0 : 0.0};
      GraphRun<double> whole(model.graph, alone, options);
      whole.step();
      ASSERT_EQ(gradients[task].values.size(), 1u);
      expect_close(gradients[task].values.at(shared), whole.gradient(shared), 1e-13,
                   fmt::format("task {}", task));
    }
  });
}

}  // namespace
}  // namespace gatewise

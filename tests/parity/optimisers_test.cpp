// Update rules, clipping and schedules against torch.optim.
#include "engine/optimiser.h"
#include "tests/engine/graph_run.h"
#include "tests/parity/reference.h"
#include "training/trainer.h"

namespace gatewise {
namespace {

template <class T>
constexpr double step_tolerance = std::is_same_v<T, double> ? 1e-12 : 1e-6;

Json index_of(const char* kind) { return reference_json("optimisers/optimisers.json").at(kind); }

// PyTorch's names to ours.
OptimiserOptions options_of(const Json& entry) {
  static const std::map<std::string, std::string> kinds = {
      {"SGD", "sgd"}, {"Adagrad", "adagrad"}, {"Adam", "adam"}, {"AdamW", "adamw"}, {"SparseAdam", "adam"}};
  OptimiserOptions options;
  options.kind = kinds.at(entry.at("optimiser"));
  for (const auto& [name, value] : entry.at("options").items()) {
    if (name == "lr") {
      options.rate = value;
    } else if (name == "momentum") {
      options.momentum = value;
    } else if (name == "nesterov") {
      options.nesterov = value;
    } else if (name == "eps") {
      options.epsilon = value;
    } else if (name == "weight_decay") {
      options.weight_decay = value;
    } else if (name == "betas") {
      options.beta1 = value.at(0);
      options.beta2 = value.at(1);
    } else {
      ADD_FAILURE() << "an option that is not known here: " << name;
    }
  }
  return options;
}

std::vector<std::string> names_in(const char* kind) {
  std::vector<std::string> names;
  for (const Json& entry : index_of(kind)) names.push_back(entry.at("name"));
  return names;
}

// sum(parameter x input): the input is the gradient of the parameter.
Var times_gradient(Graph& graph, const std::string& path, const Shape& shape) {
  const Shape flat{shape.elements()};
  const Var parameter = graph.parameter(path, shape, {});
  return sum(multiply(reshape(parameter, flat), graph.input("gradients/" + path, flat)));
}

// The same for the rows of a table; the ids are looked up in order.
Var times_row_gradients(Graph& graph, const std::string& path, int64_t rows, int64_t width) {
  const Var row = embedding(graph.ids("ids/" + path), graph.table(path, rows, width, {}));
  return sum(multiply(row, graph.input("gradients/" + path, {width})));
}

int leaf(const Graph& graph, const std::string& name) {
  for (const Node& node : graph.nodes()) {
    if (node.name == name) return node.id;
  }
  data_error("the graph has no leaf \"{}\"", name);
}

std::vector<uint32_t> as_ids(const std::vector<double>& values) { return {values.begin(), values.end()}; }

template <class T>
void expect_dense_steps(const std::string& name) {
  const OptimiserOptions options = options_of(named_case(index_of("dense"), name));
  const Reference reference("optimisers/" + name + ".safetensors");
  Graph graph;
  graph.add_loss("task", times_gradient(graph, "p", Shape(reference.shape("initial"))));
  Feed feed{.rows = 1, .coefficients = {1}};
  feed.inputs[leaf(graph, "gradients/p")] = reference.slice("gradients", 0);
  feed.parameters["p"] = reference.values("initial");
  GraphRun<T> run(graph, feed, {});
  Pool pool(1);
  Optimiser<T> optimiser(run.store(), pool, options);
  const int64_t steps = reference.shape("parameters")[0];
  ASSERT_EQ(steps, 10);
  feed.parameters.clear();
  for (int64_t step = 0; step < steps; ++step) {
    feed.inputs[leaf(graph, "gradients/p")] = reference.slice("gradients", step);
    run.set(feed);
    run.step();
    optimiser.apply(run.program(), options.rate);
    expect_agreement(run.store().get("p"), reference.slice("parameters", step), step_tolerance<T>,
                     fmt::format("{} step {}", name, step));
  }
}

template <class T>
void expect_sparse_steps(const std::string& name) {
  const OptimiserOptions options = options_of(named_case(index_of("sparse"), name));
  const Reference reference("optimisers/" + name + ".safetensors");
  const std::vector<int64_t> table = reference.shape("initial");
  Graph graph;
  graph.add_loss("task", times_row_gradients(graph, "t", table[0], table[1]));
  const int64_t look_ups = reference.shape("ids")[1];
  Feed feed{.rows = look_ups, .coefficients = std::vector<double>(look_ups, 1)};
  const auto set_step = [&](int64_t step) {
    feed.ids[leaf(graph, "ids/t")].ids = as_ids(reference.slice("ids", step));
    feed.inputs[leaf(graph, "gradients/t")] = reference.slice("row_gradients", step);
  };
  set_step(0);
  feed.parameters["t"] = reference.values("initial");
  GraphRun<T> run(graph, feed, {.tile_rows = 4, .lanes = 2}, 1, 0);
  ASSERT_TRUE(run.store().layout().places[0].is_big_table);
  Pool pool(1);
  Optimiser<T> optimiser(run.store(), pool, options);
  const int64_t steps = reference.shape("parameters")[0];
  ASSERT_EQ(steps, 10);
  feed.parameters.clear();
  for (int64_t step = 0; step < steps; ++step) {
    set_step(step);
    run.set(feed);
    run.step();
    optimiser.apply(run.program(), options.rate);
    expect_agreement(run.store().get("t"), reference.slice("parameters", step), step_tolerance<T>,
                     fmt::format("{} step {}", name, step));
  }
}

// One step of SGD at rate 1 from zero: the parameters are the clipped gradients with the sign turned. `b` is
// a parameter or a table outside the arena.
template <class T>
void expect_clipping(const std::string& name, bool has_big_table) {
  const Json clipping = index_of("clipping");
  const Json& entry = named_case(clipping, name);
  const Reference reference("optimisers/" + name + ".safetensors");
  const std::vector<int64_t> shape = reference.shape("gradients/b");
  Graph graph;
  const Var a = times_gradient(graph, "a", Shape(reference.shape("gradients/a")));
  const Var c = times_gradient(graph, "c", Shape(reference.shape("gradients/c")));
  const Var b = has_big_table ? times_row_gradients(graph, "b", shape[0], shape[1])
                              : times_gradient(graph, "b", Shape(shape));
  graph.add_loss("task", add(add(a, b), c));
  // With a table each row of the batch looks up one row; the other gradients come with the first.
  const int64_t rows = has_big_table ? shape[0] : 1;
  Feed feed{.rows = rows, .coefficients = std::vector<double>(rows, 1)};
  for (const char* path : {"a", "b", "c"}) {
    std::vector<double> gradients = reference.values(fmt::format("gradients/{}", path));
    feed.parameters[path].assign(gradients.size(), 0);
    if (path[0] != 'b') gradients.resize(gradients.size() * rows, 0);
    feed.inputs[leaf(graph, fmt::format("gradients/{}", path))] = gradients;
  }
  if (has_big_table) {
    std::vector<uint32_t>& ids = feed.ids[leaf(graph, "ids/b")].ids;
    for (int64_t row = 0; row < rows; ++row) ids.push_back(static_cast<uint32_t>(row));
  }
  GraphRun<T> run(graph, feed, {}, 1, 0);
  run.step();
  Pool pool(1);
  OptimiserOptions options;
  options.kind = "sgd";
  options.clip_norm = entry.at("max_norm");
  Optimiser<T> optimiser(run.store(), pool, options);
  const double norm = optimiser.apply(run.program(), 1);
  EXPECT_NEAR(norm, entry.at("norm").get<double>(), 10 * step_tolerance<T>);
  for (const char* path : {"a", "b", "c"}) {
    std::vector<T> moved = run.store().get(path);
    for (T& value : moved) value = -value;
    expect_agreement(moved, reference.values(fmt::format("clipped/{}", path)), step_tolerance<T>, path);
  }
}

const std::vector<std::string> dense_names = {
    "sgd",          "sgd_weight_decay",          "sgd_momentum", "sgd_momentum_weight_decay",
    "sgd_nesterov", "sgd_nesterov_weight_decay", "adagrad",      "adagrad_weight_decay",
    "adam",         "adam_weight_decay",         "adamw",        "adamw_weight_decay"};
const std::vector<std::string> sparse_names = {"sparse_sgd", "sparse_adagrad", "sparse_adam"};
const std::vector<std::string> clipping_names = {"clip_active", "clip_inactive"};
const std::vector<std::string> schedule_names = {"step", "cosine", "linear_factor", "linear_warm_up"};

TEST(OptimiserReferences, are_all_tested) {
  EXPECT_THAT(names_in("dense"), testing::UnorderedElementsAreArray(dense_names));
  EXPECT_THAT(names_in("sparse"), testing::UnorderedElementsAreArray(sparse_names));
  EXPECT_THAT(names_in("clipping"), testing::UnorderedElementsAreArray(clipping_names));
  EXPECT_THAT(names_in("schedules"), testing::UnorderedElementsAreArray(schedule_names));
}

class DenseOptimiserParity : public testing::TestWithParam<std::string> {};
TEST_P(DenseOptimiserParity, ten_steps_give_the_same_parameters) {
  expect_dense_steps<double>(GetParam());
  expect_dense_steps<float>(GetParam());
}
INSTANTIATE_TEST_SUITE_P(Optimisers, DenseOptimiserParity, testing::ValuesIn(dense_names), test_name);

class LazyOptimiserParity : public testing::TestWithParam<std::string> {};
TEST_P(LazyOptimiserParity, ten_steps_give_the_same_table) {
  expect_sparse_steps<double>(GetParam());
  expect_sparse_steps<float>(GetParam());
}
INSTANTIATE_TEST_SUITE_P(Optimisers, LazyOptimiserParity, testing::ValuesIn(sparse_names), test_name);

class ClippingParity : public testing::TestWithParam<std::string> {};
TEST_P(ClippingParity, all_gradients_are_scaled_by_one_norm) {
  for (const bool has_big_table : {false, true}) {
    expect_clipping<double>(GetParam(), has_big_table);
    expect_clipping<float>(GetParam(), has_big_table);
  }
}
INSTANTIATE_TEST_SUITE_P(Optimisers, ClippingParity, testing::ValuesIn(clipping_names), test_name);

ScheduleOptions schedule_of(const Json& entry) {
  ScheduleOptions schedule;
  const std::string name = entry.at("name");
  if (name == "step") {
    schedule.kind = "step";
    schedule.step_every = entry.at("step_size");
    schedule.step_factor = entry.at("gamma");
  } else if (name == "cosine") {
    schedule.kind = "cosine";
    schedule.total_steps = entry.at("steps");
    schedule.final_factor = entry.at("minimum").get<double>() / entry.at("rate").get<double>();
  } else if (name == "linear_factor") {
    schedule.warm_up_steps = entry.at("steps");
    schedule.warm_up_from = entry.at("start_factor");
  } else {
    // (i + 1) / n climbs from 1 / n to 1 in n - 1 steps.
    const int64_t steps = entry.at("steps");
    schedule.warm_up_steps = steps - 1;
    schedule.warm_up_from = 1 / static_cast<double>(steps);
  }
  return schedule;
}

class ScheduleParity : public testing::TestWithParam<std::string> {};
TEST_P(ScheduleParity, every_step_has_the_same_rate) {
  const Json schedules = index_of("schedules");
  const Json& entry = named_case(schedules, GetParam());
  const auto expected = entry.at("rates").get<std::vector<double>>();
  ASSERT_GE(expected.size(), 9u);
  for (size_t step = 0; step < expected.size(); ++step) {
    const double rate = learning_rate(schedule_of(entry), entry.at("rate"), static_cast<int64_t>(step), 1000);
    EXPECT_NEAR(rate, expected[step], 1e-15) << step;
  }
}
INSTANTIATE_TEST_SUITE_P(Optimisers, ScheduleParity, testing::ValuesIn(schedule_names), test_name);

}  // namespace
}  // namespace gatewise

// Single operations and losses against PyTorch: outputs and the gradients that an upstream gradient gives.
#include "losses/loss.h"
#include "tests/engine/graph_run.h"
#include "tests/parity/reference.h"
#include "training/batches.h"

namespace gatewise {
namespace {

// Most answers agree to a few roundings. Float also rounds the inputs, to 6e-8 of their size.
template <class T>
constexpr double tolerance = std::is_same_v<T, double> ? 1e-12 : 2e-6;

// One case as a graph with its data.
struct Case {
  explicit Case(const std::string& name)
      : index(reference_json("operations/operations.json")),
        attributes(named_case(index.at("operations"), name).at("attributes")),
        reference("operations/" + name + ".safetensors") {}

  // A tensor of the file as a value of this shape per row, with a gradient when it is one of the inputs.
  // (A copy of the shape: those of the graph move when it grows.)
  Var rows(const std::string& name, Shape shape) {  // NOLINT(performance-unnecessary-value-param)
    const bool is_input = reference.contains("inputs/" + name);
    const Var var = graph.input(name, shape);
    feed.inputs[var.node()] = reference.values((is_input ? "inputs/" : "constants/") + name);
    feed.rows = static_cast<int64_t>(feed.inputs[var.node()].size()) / shape.elements();
    if (is_input) row_inputs[name] = var.node();
    return var;
  }
  // x, one row per slice of its first axis; a vector is one row, or one number a row.
  Var x() {
    const std::vector<int64_t>& shape = reference.shape("inputs/x");
    if (shape.size() == 1) return rows("x", Shape{is_one_row ? shape[0] : 1});
    return rows("x", Shape{shape[1]});
  }
  Var parameter(const std::string& name) {
    feed.parameters[name] = reference.values("inputs/" + name);
    return graph.parameter(name, Shape(reference.shape("inputs/" + name)), {});
  }
  Var bag(Pooling pooling) {
    const std::vector<int64_t>& shape = reference.shape("inputs/table");
    feed.parameters["table"] = reference.values("inputs/table");
    const Var table = graph.table("table", shape[0], shape[1], {});
    const Var ids = graph.ids("ids");
    IdFeed& given = feed.ids[ids.node()];
    for (const double id : reference.values("constants/ids")) given.ids.push_back(static_cast<uint32_t>(id));
    for (const double at : reference.values("constants/offsets"))
      given.offsets.push_back(static_cast<int64_t>(at));
    feed.rows = static_cast<int64_t>(given.offsets.size());
    given.offsets.push_back(static_cast<int64_t>(given.ids.size()));
    if (reference.contains("inputs/weights")) {
      for (const double weight : reference.values("inputs/weights"))
        given.weights.push_back(static_cast<float>(weight));
    }
    return embedding(ids, table, pooling);
  }
  double attribute(const char* name) const { return attributes.at(name); }

  Json index, attributes;
  Reference reference;
  bool is_one_row = false;
  Graph graph;
  Feed feed;
  std::map<std::string, int> row_inputs;
};

using Build = Var (*)(Case&);

const std::map<std::string, Build> operations = {
    {"gelu_exact", [](Case& c) { return gelu(c.x()); }},
    {"gelu_tanh", [](Case& c) { return gelu_tanh(c.x()); }},
    {"swish", [](Case& c) { return swish(c.x()); }},
    {"elu", [](Case& c) { return elu(c.x(), c.attribute("alpha")); }},
    {"softplus", [](Case& c) { return softplus(c.x()); }},
    {"leaky_relu", [](Case& c) { return leaky_relu(c.x(), c.attribute("slope")); }},
    {"normal_cdf", [](Case& c) { return normal_cdf(c.x()); }},
    {"layer_norm",
     [](Case& c) {
       return layer_norm(c.x(), c.parameter("weight"), c.parameter("bias"), c.attribute("epsilon"));
     }},
    {"rms_norm", [](Case& c) { return rms_norm(c.x(), c.parameter("weight"), c.attribute("epsilon")); }},
    {"batch_norm_training",
     [](Case& c) {
       return batch_norm(c.x(), c.parameter("weight"), c.parameter("bias"), "norm", c.attribute("momentum"),
                         c.attribute("epsilon"));
     }},
    {"softmax", [](Case& c) { return softmax(c.x()); }},
    {"masked_softmax",
     [](Case& c) {
       const Var x = c.x();
       return masked_softmax(x, c.rows("mask", x.shape()));
     }},
    {"embedding_bag_sum", [](Case& c) { return c.bag(Pooling::Sum); }},
    {"embedding_bag_mean", [](Case& c) { return c.bag(Pooling::Mean); }},
    {"embedding_bag_sum_weighted", [](Case& c) { return c.bag(Pooling::Sum); }},
    {"embedding_bag_mean_weighted", [](Case& c) { return c.bag(Pooling::Mean); }},
};

// Loss cases: registered name and the option that is an attribute of the case, if there is one.
struct LossCase {
  const char* loss;
  const char* option = nullptr;
};

const std::map<std::string, LossCase> losses = {
    {"loss_bce_with_logits", {"binary_cross_entropy"}},
    {"loss_bce_with_logits_soft_target", {"binary_cross_entropy"}},
    {"loss_mse", {"squared_error"}},
    {"loss_huber", {"huber", "delta"}},
    {"loss_poisson_log_input", {"poisson"}},
    {"loss_softmax", {"softmax_cross_entropy"}},
    {"loss_softmax_class_weights", {"softmax_cross_entropy"}},
};

template <class T>
void expect_gradients_of(Case& c, GraphRun<T>& run, double allowed) {
  for (const auto& [name, node] : c.row_inputs) {
    expect_agreement(run.gradient(node), c.reference.values("gradients/" + name), allowed,
                     "gradient of " + name);
  }
  for (const auto& [name, values] : c.feed.parameters) {
    expect_agreement(run.parameter_gradient(name), c.reference.values("gradients/" + name), allowed,
                     "gradient of " + name);
  }
}

PlanOptions plan_of(const Case& c, Var output, int64_t tile_rows) {
  PlanOptions options{.tile_rows = tile_rows, .lanes = tile_rows, .watched = {output.node()}};
  for (const auto& [name, node] : c.row_inputs) options.watched_gradients.push_back(node);
  return options;
}

template <class T>
void expect_operation(const std::string& name, bool is_one_row, int64_t tile_rows) {
  Case c(name);
  c.is_one_row = is_one_row;
  const Var output = operations.at(name)(c);
  const Var upstream = c.graph.input("upstream", output.shape());
  c.feed.inputs[upstream.node()] = c.reference.values("upstream");
  c.graph.add_loss("task", sum(multiply(output, upstream)));
  c.feed.coefficients.assign(c.feed.rows, 1);
  c.feed.task_weights = {1};
  // Weights of bags are data in float, whatever the program's type.
  const double allowed = c.reference.contains("inputs/weights") ? std::max(tolerance<T>, 2e-7) : tolerance<T>;
  const bool is_bag = c.reference.contains("constants/ids");
  for (const int64_t dense_table_rows : {65536, 0}) {
    GraphRun<T> run(c.graph, c.feed, plan_of(c, output, tile_rows), 1, dense_table_rows);
    run.step();
    expect_agreement(run.value(output.node()), c.reference.values("output"), allowed, "output");
    expect_gradients_of(c, run, allowed);
    if (name == "batch_norm_training") {
      std::vector<double> running = c.reference.values("extra/running_mean");
      const std::vector<double> variance = c.reference.values("extra/running_variance");
      running.insert(running.end(), variance.begin(), variance.end());
      expect_agreement(run.store().get("norm"), running, allowed, "running statistics");
    }
    if (!is_bag) break;
  }
}

// Rows of a loss and their gradients; the weight of a class is part of the row's coefficient.
template <class T>
void expect_loss(const std::string& name, int64_t tile_rows) {
  Case c(name);
  const LossCase& loss_case = losses.at(name);
  Json options = Json::object();
  if (loss_case.option != nullptr) options[loss_case.option] = c.attribute(loss_case.option);
  const auto loss = Registry<Loss>::instance().find(loss_case.loss, "loss", "test").make(options, "test");
  const Var x = c.x();
  const Var label = loss->is_over_classes() ? c.rows("classes", Shape{}) : c.rows("target", Shape{1});
  const Var rows = loss->rows(x, label);
  c.graph.add_loss("task", rows);
  std::vector<double> weights(c.feed.rows, 1);
  if (c.reference.contains("constants/class_weights")) {
    const std::vector<double> class_weights = c.reference.values("constants/class_weights");
    for (int64_t row = 0; row < c.feed.rows; ++row) {
      weights[row] = class_weights.at(static_cast<size_t>(c.feed.inputs.at(label.node())[row]));
    }
  }
  c.feed.task_weights = {1};
  c.feed.coefficients = c.reference.values("upstream");
  for (int64_t row = 0; row < c.feed.rows; ++row) c.feed.coefficients[row] *= weights[row];
  GraphRun<T> run(c.graph, c.feed, plan_of(c, rows, tile_rows));
  run.step();
  std::vector<T> values = run.value(rows.node());
  for (size_t row = 0; row < values.size(); ++row) values[row] *= static_cast<T>(weights[row]);
  expect_agreement(values, c.reference.values("output"), tolerance<T>, "output");
  expect_gradients_of(c, run, tolerance<T>);
}

template <class Value>
std::vector<std::string> names_of(const std::map<std::string, Value>& cases) {
  std::vector<std::string> names;
  for (const auto& [name, value] : cases) names.push_back(name);
  return names;
}

TEST(OperationReferences, are_all_tested) {
  std::vector<std::string> tested = names_of(operations), written;
  for (const std::string& name : names_of(losses)) tested.push_back(name);
  const Json index = reference_json("operations/operations.json");
  for (const Json& entry : index.at("operations")) {
    written.push_back(entry.at("name"));
  }
  EXPECT_THAT(written, testing::UnorderedElementsAreArray(tested));
}

class OperationParity : public testing::TestWithParam<std::string> {};
TEST_P(OperationParity, gives_the_same_output_and_gradients) {
  for (const int64_t tile_rows : {0, 4}) {
    for (const bool is_one_row : {true, false}) {
      expect_operation<double>(GetParam(), is_one_row, tile_rows);
      expect_operation<float>(GetParam(), is_one_row, tile_rows);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Operations, OperationParity, testing::ValuesIn(names_of(operations)), test_name);

class LossParity : public testing::TestWithParam<std::string> {};
TEST_P(LossParity, gives_the_same_rows_and_gradients) {
  for (const int64_t tile_rows : {0, 4}) {
    expect_loss<double>(GetParam(), tile_rows);
    expect_loss<float>(GetParam(), tile_rows);
  }
}
INSTANTIATE_TEST_SUITE_P(Losses, LossParity, testing::ValuesIn(names_of(losses)), test_name);

TEST(ClassWeights, of_the_loader_give_the_weighted_rows) {
  const Reference weighted("operations/loss_softmax_class_weights.safetensors");
  FeatureSpace space;
  space.tasks.resize(1);
  space.tasks[0].kind = "multiclass";
  space.tasks[0].class_weights = weighted.values("constants/class_weights");
  space.tasks[0].classes = static_cast<int64_t>(space.tasks[0].class_weights.size());
  const std::vector<double> classes = weighted.values("constants/classes");
  EncodedData data;
  data.rows = static_cast<int64_t>(classes.size());
  data.tasks = 1;
  data.labels.assign(classes.begin(), classes.end());

  Graph graph;
  // A program needs something to train: here a scale of one.
  const Shape shape{space.tasks[0].classes};
  const Var logits =
      multiply(graph.input("numeric", shape), graph.parameter("scale", shape, Initializer::one()));
  const Var rows = softmax_cross_entropy(logits, graph.input("labels", {}));
  graph.add_loss("task", rows);
  const std::vector<double> x = weighted.values("inputs/x");
  data.numeric.assign(x.begin(), x.end());
  data.numeric_width = space.tasks[0].classes;
  Store<float> store(graph);
  store.initialise(1);
  Pool pool(1);
  Program<float> program(store, pool, {.watched = {rows.node()}});
  BatchLoader loader(graph, space, "batch");
  std::vector<int64_t> order(data.rows);
  std::iota(order.begin(), order.end(), 0);
  const Batch<float>& batch = loader.gather(data, order, pool);
  const StepResult result = program.step(batch, {.is_training = true}, std::vector<double>{1});
  std::vector<float> losses_of_rows;
  for (int64_t row = 0; row < data.rows; ++row) {
    const float share =
        batch.coefficients.data[row * batch.coefficients.stride] * static_cast<float>(data.rows);
    losses_of_rows.push_back(program.value(rows.node()).data[row * program.value(rows.node()).stride] *
                             share);
  }
  const std::vector<double> expected = weighted.values("output");
  expect_agreement(losses_of_rows, expected, tolerance<float>, "rows");
  const double mean = std::accumulate(expected.begin(), expected.end(), 0.0) / static_cast<double>(data.rows);
  EXPECT_NEAR(result.total, mean, tolerance<float>);
}

}  // namespace
}  // namespace gatewise

// Whole models against PyTorch: outputs, losses, penalties, gradients and ten steps of Adam. Every reference
// in the folder is a test.
#include <filesystem>

#include "tests/engine/graph_run.h"
#include "tests/parity/reference.h"
#include "training/batches.h"
#include "training/model.h"
#include "training/trainer.h"

namespace gatewise {
namespace {

constexpr int64_t everything_dense = 65536, everything_sparse = 0;

FeatureSpace space_of(const Json& config) {
  FeatureSpace space;
  for (int64_t i = 0; i < config.at("numeric_inputs").get<int64_t>(); ++i) {
    space.numeric.push_back({fmt::format("number_{}", i), i, 1});
  }
  for (const Json& entry : config.at("embeddings")) {
    const std::string name = entry.at("table");
    const auto index = static_cast<int64_t>(space.tables.size());
    space.ids.push_back({name, index, index});
    space.tables.push_back({name, entry.at("rows"), entry.at("width")});
  }
  for (const Json& entry : config.at("tasks")) {
    TaskSpace task;
    task.name = entry.at("name");
    task.kind = entry.at("kind");
    task.classes = entry.at("outputs");
    task.weight = entry.at("weight");
    space.tasks.push_back(task);
  }
  return space;
}

// Where the reference keeps a path's values: states lie apart from parameters ("initial", "final").
template <class T>
std::string reference_name(const Store<T>& store, const std::string& prefix, const std::string& path) {
  return prefix + (store.block(path).place < 0 ? "_state/" : "/") + path;
}

// One reference with the graph of the same model, its rows side by side in the order of the batches.
struct Model {
  explicit Model(const std::string& name)
      : description(reference_json("models/" + name + ".json")),
        reference("models/" + name + ".safetensors"),
        space(space_of(description.at("config"))),
        graph(build_graph(space, description.at("config").at("model"))),
        batches(description.at("config").at("batches")),
        batch_rows(description.at("config").at("rows")) {
    data.rows = batches * batch_rows;
    data.numeric_width = space.numeric_width();
    data.numeric = floats("batches/numeric");
    data.id_columns = static_cast<int64_t>(space.ids.size());
    data.tasks = static_cast<int64_t>(space.tasks.size());
    data.ids.resize(data.rows * data.id_columns);
    data.labels.resize(data.rows * data.tasks);
    data.weights.resize(data.rows * data.tasks);
    for (const IdFeature& feature : space.ids) {
      const std::vector<double> column = reference.values("batches/ids/" + feature.name);
      for (int64_t row = 0; row < data.rows; ++row) {
        data.ids[row * data.id_columns + feature.column] = static_cast<uint32_t>(column.at(row));
      }
    }
    const std::vector<float> weights = floats("batches/weights");
    for (int64_t task = 0; task < data.tasks; ++task) {
      const std::vector<float> labels = floats("batches/labels/" + space.tasks[task].name);
      for (int64_t row = 0; row < data.rows; ++row) {
        data.labels[row * data.tasks + task] = labels.at(row);
        data.weights[row * data.tasks + task] = weights.at(row);
      }
    }
  }

  std::vector<float> floats(const std::string& name) const {
    const std::vector<double> values = reference.values(name);
    return {values.begin(), values.end()};
  }

  Json description;
  Reference reference;
  FeatureSpace space;
  std::unique_ptr<Graph> graph;
  int64_t batches, batch_rows;
  EncodedData data;
};

struct RunOptions {
  int threads = 1;
  int64_t dense_table_rows = everything_dense;
  int64_t tile_rows = 0;
  int64_t lanes = 0;
};

// A model in training from the reference's initial parameters.
template <class T>
class ModelRun {
 public:
  ModelRun(const Model& model, RunOptions options)
      : model_(model),
        pool_(options.threads),
        store_(*model.graph, options.dense_table_rows),
        program_(store_, pool_, plan_options(model, options, true)),
        scorer_(store_, pool_, plan_options(model, options, false)),
        optimiser_(store_, pool_, adam(model.description.at("adam"))),
        loader_(*model.graph, model.space) {
    for (const std::string& path : store_.paths()) {
      const std::vector<double> values = model.reference.values(reference_name(store_, "initial", path));
      store_.set(path, std::vector<T>(values.begin(), values.end()));
    }
  }

  // Forward and backward of a batch; update() then takes Adam's step.
  StepResult step(int64_t index) {
    std::vector<double> task_weights;
    for (const TaskSpace& task : model_.space.tasks) task_weights.push_back(task.weight);
    return program_.step(batch(index), {.is_training = true, .batch_rows = model_.batch_rows}, task_weights);
  }
  void update() { optimiser_.apply(program_, optimiser_.options().rate); }

  // Runs a batch in evaluation mode; logits() then reads its outputs.
  void score(int64_t index) {
    scorer_.parameters_changed();
    scorer_.forward(batch(index), {.is_training = false, .batch_rows = model_.batch_rows});
  }
  std::vector<T> logits(const TaskSpace& task) const {
    const int node = model_.graph->find("logits/" + task.name);
    const ConstRows<T> rows = scorer_.value(node);
    const int64_t width = model_.graph->node(node).signature.shape.elements();
    std::vector<T> result;
    for (int64_t row = 0; row < model_.batch_rows; ++row) {
      result.insert(result.end(), rows.data + row * rows.stride, rows.data + row * rows.stride + width);
    }
    return result;
  }
  std::vector<T> gradient(const std::string& path) { return parameter_gradient(store_, program_, path); }
  const Store<T>& store() const { return store_; }

  // Every bit of parameters, states and gradients.
  std::vector<T> everything() {
    std::vector<T> all;
    for (const std::string& path : store_.paths()) {
      const bool is_state = store_.block(path).place < 0;
      for (const std::vector<T>& values : {store_.get(path), is_state ? std::vector<T>() : gradient(path)}) {
        all.insert(all.end(), values.begin(), values.end());
      }
    }
    return all;
  }

 private:
  static PlanOptions plan_options(const Model& model, const RunOptions& options, bool is_training) {
    PlanOptions plan{.is_training = is_training,
                     .batch_rows = model.batch_rows,
                     .tile_rows = options.tile_rows,
                     .lanes = options.lanes};
    for (const TaskSpace& task : model.space.tasks)
      plan.watched.push_back(model.graph->find("logits/" + task.name));
    return plan;
  }

  static OptimiserOptions adam(const Json& options) {
    OptimiserOptions adam;
    adam.kind = "adam";
    adam.rate = options.at("learning_rate");
    adam.beta1 = options.at("beta1");
    adam.beta2 = options.at("beta2");
    adam.epsilon = options.at("epsilon");
    return adam;
  }

  const Batch<T>& batch(int64_t index) {
    std::vector<int64_t> rows(model_.batch_rows);
    std::iota(rows.begin(), rows.end(), index * model_.batch_rows);
    const Batch<float>& gathered = loader_.gather(model_.data, rows, pool_);
    if constexpr (std::is_same_v<T, float>) {
      return gathered;
    } else {
      return widened(gathered, index);
    }
  }

  // The same batch in double, with coefficients that were never rounded to float.
  const Batch<T>& widened(const Batch<float>& from, int64_t index) {
    batch_.rows = from.rows;
    batch_.ids = from.ids;
    for (const auto& [node, rows] : from.inputs) {
      inputs_[node].assign(rows.data, rows.data + from.rows * rows.stride);
      batch_.inputs[node] = {inputs_[node].data(), rows.stride};
    }
    const int64_t tasks = model_.data.tasks, first = index * model_.batch_rows;
    coefficients_.assign(from.rows * tasks, 0);
    for (int64_t task = 0; task < tasks; ++task) {
      double present = 0;
      for (int64_t row = 0; row < from.rows; ++row) {
        const int64_t source = (first + row) * tasks + task;
        if (std::isnan(model_.data.labels[source])) continue;
        present += model_.data.weights[source];
        coefficients_[row * tasks + task] = model_.data.weights[source];
      }
      for (int64_t row = 0; row < from.rows && present > 0; ++row)
        coefficients_[row * tasks + task] /= present;
    }
    batch_.coefficients = {coefficients_.data(), tasks};
    return batch_;
  }

  const Model& model_;
  Pool pool_;
  Store<T> store_;
  Program<T> program_, scorer_;
  Optimiser<T> optimiser_;
  BatchLoader loader_;
  Batch<T> batch_;
  std::map<int, std::vector<T>> inputs_;
  std::vector<T> coefficients_;
};

// Parameters and gradients come from files of float32, so even double can only agree to their rounding;
// losses are float64 there. In float the yardstick is how far PyTorch's own float32 strays in ten steps,
// about 2e-7 in most models.
template <class T>
double tolerance_of(const Model& model, double of_double, const std::string& deviation) {
  if constexpr (std::is_same_v<T, double>) return of_double;
  return std::max(1e-6, 10 * model.description.at("float32_deviation").at(deviation).get<double>());
}
template <class T>
double values_tolerance(const Model& model) {
  return tolerance_of<T>(model, 6e-8, "after_ten_steps");
}
template <class T>
double loss_tolerance(const Model& model) {
  return tolerance_of<T>(model, 1e-12, "total_loss");
}

void expect_losses(const Model& model, const StepResult& result, const Json& expected, double tolerance,
                   const std::string& what) {
  std::vector<double> losses, expected_losses;
  for (size_t task = 0; task < model.space.tasks.size(); ++task) {
    losses.push_back(result.losses.at(task));
    expected_losses.push_back(expected.at("tasks").at(model.space.tasks[task].name));
  }
  losses.push_back(result.total);
  expected_losses.push_back(expected.at("total"));
  expect_agreement(losses, expected_losses, tolerance, what);

  // Terms of one name count together.
  std::map<std::string, double> penalties;
  for (size_t i = 0; i < model.graph->penalties().size(); ++i) {
    penalties[model.graph->penalties()[i].name] += result.penalties.at(i);
  }
  const Json expected_penalties = expected.value("penalties", Json::object());
  EXPECT_EQ(penalties.size(), expected_penalties.size()) << what;
  for (const auto& [name, value] : penalties) {
    ASSERT_TRUE(expected_penalties.contains(name)) << what << ": penalty " << name;
    expect_agreement<double>({value}, {expected_penalties.at(name).get<double>()}, tolerance,
                             what + ": penalty " + name);
  }
}

template <class T>
void expect_outputs(ModelRun<T>& run, const Model& model, const std::string& prefix) {
  run.score(0);
  for (const TaskSpace& task : model.space.tasks) {
    expect_agreement(run.logits(task), model.reference.values(prefix + task.name), values_tolerance<T>(model),
                     prefix + task.name);
  }
}

template <class T>
void expect_first_batch(const Model& model, RunOptions options) {
  ModelRun<T> run(model, options);
  expect_outputs(run, model, "outputs/");
  const StepResult result = run.step(0);
  expect_losses(model, result, model.description.at("losses").at("dense").at(0), loss_tolerance<T>(model),
                "loss");
  for (const std::string& path : model.reference.names_under("gradients/")) {
    expect_agreement(run.gradient(path), model.reference.values("gradients/" + path),
                     values_tolerance<T>(model), "gradient of " + path);
  }
}

template <class T>
void expect_ten_steps(const Model& model, RunOptions options) {
  const bool is_sparse = options.dense_table_rows == everything_sparse;
  const std::string kind = is_sparse ? "sparse" : "dense";
  const Json& losses = model.description.at("losses").at(kind);
  ASSERT_EQ(losses.size(), 10u);
  ASSERT_EQ(model.batches, 10);
  ModelRun<T> run(model, options);
  for (int64_t step = 0; step < model.batches; ++step) {
    expect_losses(model, run.step(step), losses.at(step), loss_tolerance<T>(model),
                  fmt::format("{} step {}", kind, step));
    run.update();
  }
  const std::string prefix = is_sparse ? "final_sparse/" : "final/";
  for (const std::string& path : model.reference.names_under(prefix)) {
    expect_agreement(run.store().get(path), model.reference.values(prefix + path), values_tolerance<T>(model),
                     prefix + path);
  }
  const std::vector<std::string> states = model.reference.names_under("final_state/");
  if (!is_sparse && !states.empty()) {
    for (const std::string& path : states) {
      expect_agreement(run.store().get(path), model.reference.values("final_state/" + path),
                       values_tolerance<T>(model), "final_state/" + path);
    }
    expect_outputs(run, model, "final_outputs/");
  }
  expect_losses(model, run.step(0), model.description.at("loss_of_batch_0_after").at(kind),
                loss_tolerance<T>(model), kind + " after ten steps");
}

// Every reference there is, by name.
std::vector<std::string> reference_models() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(reference_path("models"))) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class ModelParity : public testing::TestWithParam<std::string> {};

TEST_P(ModelParity, has_the_same_parameters_and_states) {
  const Model model(GetParam());
  Store<float> store(*model.graph);
  store.initialise(1);
  std::vector<std::string> names, expected;
  for (const std::string& path : store.paths()) names.push_back(reference_name(store, "initial", path));
  for (const std::string prefix : {"initial/", "initial_state/"}) {
    for (const std::string& path : model.reference.names_under(prefix)) expected.push_back(prefix + path);
  }
  std::sort(names.begin(), names.end());
  std::sort(expected.begin(), expected.end());
  ASSERT_EQ(names, expected);
  for (const std::string& path : store.paths()) {
    const std::string name = reference_name(store, "initial", path);
    EXPECT_EQ(store.block(path).shape.sizes, model.reference.shape(name)) << path;
    if (store.block(path).place < 0) {
      expect_agreement(store.get(path), model.reference.values(name), 0, "state at the start: " + path);
    }
  }
}

TEST_P(ModelParity, first_batch_gives_the_same_outputs_losses_and_gradients) {
  const Model model(GetParam());
  for (const int64_t dense_table_rows : {everything_dense, everything_sparse}) {
    for (const int64_t tile_rows : {0, 4}) {
      const RunOptions options{
          .dense_table_rows = dense_table_rows, .tile_rows = tile_rows, .lanes = tile_rows};
      expect_first_batch<double>(model, options);
      expect_first_batch<float>(model, options);
    }
  }
}

TEST_P(ModelParity, ten_steps_of_adam_end_at_the_same_parameters) {
  const Model model(GetParam());
  for (const int64_t dense_table_rows : {everything_dense, everything_sparse}) {
    expect_ten_steps<double>(model, {.dense_table_rows = dense_table_rows});
    expect_ten_steps<float>(model, {.dense_table_rows = dense_table_rows});
  }
}

TEST_P(ModelParity, threads_do_not_change_a_bit) {
  const Model model(GetParam());
  for (const int64_t dense_table_rows : {everything_dense, everything_sparse}) {
    RunOptions options{.dense_table_rows = dense_table_rows, .tile_rows = 3, .lanes = 3};
    ModelRun<float> one(model, options);
    options.threads = 2;
    ModelRun<float> two(model, options);
    for (int64_t step = 0; step < model.batches; ++step) {
      EXPECT_EQ(one.step(step).total, two.step(step).total) << step;
      one.update();
      two.update();
    }
    EXPECT_TRUE(same_bits(one.everything(), two.everything()));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ModelParity, testing::ValuesIn(reference_models()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace gatewise

#include "benchmarks/workload.h"

#include <set>

#include "architectures/architecture.h"
#include "architectures/level.h"
#include "base/error.h"
#include "losses/loss.h"

namespace gatewise::benchmarks {
namespace {

struct Mixture {
  int64_t inputs, experts, tasks, tower_hidden;
  std::vector<int64_t> expert_units;
  std::string loss;

  // Products count twice (multiply and add) forward and for each of the two gradients; inputs have none.
  double work_per_row() const {
    const int64_t first = inputs * (experts * expert_units[0] + tasks * experts);
    int64_t deeper = 0;
    for (size_t i = 1; i < expert_units.size(); ++i)
      deeper += experts * expert_units[i - 1] * expert_units[i];
    const int64_t mixing = tasks * experts * expert_units.back();
    const int64_t towers = tasks * (expert_units.back() * tower_hidden + tower_hidden);
    return static_cast<double>(4 * first + 6 * (deeper + mixing + towers));
  }
};

Mixture mixture_of(const std::string& name) {
  if (name == "paper_mmoe") return {100, 8, 2, 8, {16}, "squared_error"};
  if (name == "ranking_mmoe") return {512, 8, 6, 64, {512, 256, 128}, "binary_cross_entropy"};
  command_error("no such mixture: \"{}\"", name);
}

// Adds the tasks' losses for outputs [tasks] and returns the labels' input.
Var add_losses(Graph& graph, Var outputs, const std::string& loss_name, int64_t tasks) {
  const Var labels = graph.input("labels", Shape{tasks});
  const auto loss = Registry<Loss>::instance().find(loss_name, "loss", "loss").make(Json::object(), "loss");
  const Var rows = loss->rows(outputs, labels);
  for (int64_t task = 0; task < tasks; ++task) {
    graph.add_loss(fmt::format("task_{}", task), slice(rows, 0, task, task + 1));
  }
  return labels;
}

void add_batches(Workload& workload, int64_t pool, int64_t batch_rows, int64_t tasks) {
  workload.coefficients.assign(batch_rows * tasks, 1.0f / static_cast<float>(batch_rows));
  workload.batches.resize(pool / batch_rows);
  for (Batch<float>& batch : workload.batches) {
    batch.rows = batch_rows;
    batch.coefficients = {workload.coefficients.data(), tasks};
  }
}

}  // namespace

std::unique_ptr<Workload> mixture_workload(const std::string& name, const TensorFile& dump,
                                           int64_t batch_rows) {
  const Mixture mixture = mixture_of(name);
  auto workload = std::make_unique<Workload>();
  workload->graph = std::make_unique<Graph>();
  workload->work_per_row = mixture.work_per_row();
  Graph& graph = *workload->graph;
  ModelInputs inputs;
  inputs.x = graph.input("x", Shape{mixture.inputs});
  for (int64_t task = 0; task < mixture.tasks; ++task)
    inputs.tasks.push_back({fmt::format("task_{}", task), 1});
  const Json options = {{"experts", mixture.experts},
                        {"expert", {{"units", mixture.expert_units}}},
                        {"tower", {{"units", {mixture.tower_hidden}}}}};
  const Heads heads = Registry<Architecture>::instance()
                          .find("mmoe", "architecture", "model")
                          .make(options, "model")
                          ->build(inputs);
  const Var labels =
      add_losses(graph, reshape(heads.stacked, Shape{mixture.tasks}), mixture.loss, mixture.tasks);

  const int64_t pool = dump.entry("inputs").shape[0];
  const std::span<const float> x = dump.get<float>("inputs", {pool, mixture.inputs});
  workload->labels.resize(pool * mixture.tasks);
  for (int64_t task = 0; task < mixture.tasks; ++task) {
    const std::span<const float> column = dump.get<float>(fmt::format("labels/task_{}", task), {pool});
    for (int64_t row = 0; row < pool; ++row) workload->labels[row * mixture.tasks + task] = column[row];
  }
  add_batches(*workload, pool, batch_rows, mixture.tasks);
  for (size_t i = 0; i < workload->batches.size(); ++i) {
    const int64_t first = static_cast<int64_t>(i) * batch_rows;
    workload->batches[i].inputs[inputs.x.node()] = {x.data() + first * mixture.inputs, mixture.inputs};
    workload->batches[i].inputs[labels.node()] = {workload->labels.data() + first * mixture.tasks,
                                                  mixture.tasks};
  }
  return workload;
}

std::unique_ptr<Workload> embeddings_workload(const std::string& ids, const TensorFile& dump,
                                              int64_t batch_rows) {
  auto workload = std::make_unique<Workload>();
  workload->graph = std::make_unique<Graph>();
  workload->optimiser.kind = "adagrad";
  workload->optimiser.rate = 0.05;
  workload->optimiser.epsilon = 1e-10;
  workload->dense_table_rows = 1;
  Graph& graph = *workload->graph;
  const std::vector<int64_t> ids_shape = dump.entry("ids/" + ids).shape;
  const int64_t pool = ids_shape[0], columns = ids_shape[1];
  std::vector<Var> inputs, embeddings;
  for (int64_t column = 0; column < columns; ++column) {
    const std::string path = fmt::format("embeddings/column_{}", column);
    const std::vector<int64_t>& shape = dump.entry("initial/" + path).shape;
    inputs.push_back(graph.ids(path));
    embeddings.push_back(
        embedding(inputs.back(), graph.table(path, shape[0], shape[1], Initializer::zero())));
  }
  const Var joined = concatenate(embeddings);
  const Var vector = graph.parameter("vector", Shape{joined.shape().last(), 1}, Initializer::zero());
  graph.set_trainable(vector.node(), false);
  const Var labels = add_losses(graph, linear(joined, vector, Var()), "squared_error", 1);

  const std::span<const int64_t> all_ids = dump.get<int64_t>("ids/" + ids, ids_shape);
  workload->ids.assign(all_ids.begin(), all_ids.end());
  const std::span<const float> all_labels = dump.get<float>("labels", {pool});
  add_batches(*workload, pool, batch_rows, 1);
  for (size_t i = 0; i < workload->batches.size(); ++i) {
    Batch<float>& batch = workload->batches[i];
    const int64_t first = static_cast<int64_t>(i) * batch_rows;
    batch.inputs[labels.node()] = {all_labels.data() + first, 1};
    for (int64_t column = 0; column < columns; ++column) {
      batch.ids[inputs[column].node()] = {workload->ids.data() + first * columns + column, columns};
    }
  }
  return workload;
}

std::unique_ptr<Workload> sparse_workload(const std::string& form, const TensorFile& dump,
                                          int64_t batch_rows) {
  auto workload = std::make_unique<Workload>();
  workload->graph = std::make_unique<Graph>();
  Graph& graph = *workload->graph;
  const std::vector<int64_t> shape = dump.entry("inputs").shape;
  const int64_t pool = shape[0], inputs = shape[1], hidden = 128, kept = 2;
  const int64_t experts = form == "equal_work" ? kept : 64;
  // Products of the two experts that a row takes, forward and for both gradients; inputs have none.
  workload->work_per_row = static_cast<double>(kept * (4 * inputs * 256 + 6 * 256 * hidden));
  const Var x = graph.input("x", Shape{inputs});
  const auto expert = make_part<Expert>({{"units", {256, hidden}}}, "expert", "mlp");
  const std::vector<std::string> paths = numbered_paths("experts", experts);
  Var mixed, given;
  if (form == "routed" || form == "dense") {
    const auto gate = make_part<Gate>({{"type", "top_k"}, {"k", kept}, {"routing", form}}, "gate", "top_k");
    mixed = build_level(*expert, *gate, {{x, paths}}, {{"gates/task", x, {0}, {}}}, "").of(0);
  } else {
    const auto bank = expert->bank(graph, x.shape(), paths, form != "equal_work");
    given = graph.input("weights", Shape{experts});
    if (form == "equal_work") {
      mixed = mix(bank->dense(x), given);
    } else {
      const Var way = route(given);
      mixed = combine(bank->routed(gather(x, way), way), given, way);
    }
  }
  const Var tower = graph.parameter("tower/weight", Shape{hidden, 1}, {});
  const Var labels = add_losses(graph, linear(mixed, tower, graph.parameter("tower/bias", Shape{1}, {})),
                                "squared_error", 1);
  const std::span<const float> rows = dump.get<float>("inputs", shape);
  const std::span<const float> all_labels = dump.get<float>("labels", {pool});
  if (given.is_valid()) {
    workload->weights.assign(pool * experts, 0.5f);
    if (form != "equal_work") {
      const std::span<const float> dumped = dump.get<float>("weights/" + form, {pool, experts});
      workload->weights.assign(dumped.begin(), dumped.end());
    }
  }
  add_batches(*workload, pool, batch_rows, 1);
  for (size_t i = 0; i < workload->batches.size(); ++i) {
    Batch<float>& batch = workload->batches[i];
    const int64_t first = static_cast<int64_t>(i) * batch_rows;
    batch.inputs[x.node()] = {rows.data() + first * inputs, inputs};
    batch.inputs[labels.node()] = {all_labels.data() + first, 1};
    if (given.is_valid()) batch.inputs[given.node()] = {workload->weights.data() + first * experts, experts};
  }
  return workload;
}

Training::Training(const Workload& workload, const TensorFile& dump, int threads)
    : workload_(workload),
      store_(*workload.graph, workload.dense_table_rows),
      pool_(threads),
      program_(store_, pool_, {.batch_rows = workload.batches[0].rows}),
      optimiser_(store_, pool_, workload.optimiser) {
  for (const std::string& path : store_.paths()) {
    const PathBlock& block = store_.block(path);
    const bool is_vector = path == "vector";
    const TensorFile::Entry& entry = dump.entry(is_vector ? path : "initial/" + path);
    if (!is_vector &&
        entry.shape != std::vector<int64_t>(block.shape.sizes.begin(), block.shape.sizes.end())) {
      data_error("{}: \"{}\" has another shape than the model's", dump.path(), path);
    }
    store_.set(path, dump.get<float>(is_vector ? path : "initial/" + path, entry.shape));
  }
  run_.is_training = true;
}

const Batch<float>& Training::batch(int64_t index) const {
  return workload_.batches[index % static_cast<int64_t>(workload_.batches.size())];
}

void Training::take_gradients(int64_t index) { program_.step(batch(index), run_, {}); }

void Training::step(int64_t index) {
  take_gradients(index);
  optimiser_.apply(program_, workload_.optimiser.rate);
  ++run_.step;
}

double Training::loss() { return program_.step(batch(0), run_, {}).total; }

int64_t Training::touched_rows() {
  int64_t rows = 0;
  for (const TableGradient<float>& gradient : program_.table_gradients()) {
    rows += static_cast<int64_t>(gradient.ids.size());
  }
  return rows;
}

bool Training::step_changes_only_named_rows(int64_t index) {
  std::map<std::string, std::vector<float>> before;
  for (const std::string& path : store_.paths()) before[path] = store_.get(path);
  step(index);
  for (const auto& [ids_node, ids] : batch(index).ids) {
    const std::string& path = workload_.graph->node(ids_node).name;
    std::set<int64_t> named;
    for (int64_t row = 0; row < batch(index).rows; ++row) named.insert(ids.ids[row * ids.stride]);
    const std::vector<float> now = store_.get(path), old = before[path];
    const int64_t width = store_.block(path).columns;
    for (int64_t row = 0; row * width < static_cast<int64_t>(now.size()); ++row) {
      const auto first = now.begin() + row * width;
      const bool is_changed = !std::equal(first, first + width, old.begin() + row * width);
      if (is_changed != named.contains(row)) return false;
    }
  }
  return true;
}

}  // namespace gatewise::benchmarks

// Training a model of its own for every task.
#include <cmath>

#include "base/error.h"
#include "diagnosis/sharing.h"
#include "training/model.h"
#include "training/probes.h"

namespace gatewise {
namespace {

constexpr size_t most_tasks = 32;

// Rows whose labels are those of one task at a time.
class RowsOfTask {
 public:
  explicit RowsOfTask(EncodedData data) : data_(std::move(data)), tasks_(data_.tasks) {
    labels_.swap(data_.labels);
    weights_.swap(data_.weights);
    row_task_.swap(data_.row_task);
    data_.tasks = 1;
  }

  const EncodedData& of(size_t task) {
    data_.labels = column(labels_, task, NAN);
    if (!weights_.empty()) data_.weights = column(weights_, task, 0);
    return data_;
  }

 private:
  std::vector<float> column(const std::vector<float>& values, size_t task, float missing) const {
    std::vector<float> own;
    if (values.empty()) return own;
    for (int64_t row = 0; row < data_.rows; ++row) {
      if (!row_task_.empty()) {
        own.push_back(row_task_[row] == task ? values[row] : missing);
      } else {
        own.push_back(values[row * tasks_ + static_cast<int64_t>(task)]);
      }
    }
    return own;
  }

  EncodedData data_;
  int64_t tasks_;
  std::vector<float> labels_, weights_;
  std::vector<uint32_t> row_task_;
};

// A synthetic table of which one label is seen.
class OneLabel final : public SyntheticTable {
 public:
  OneLabel(const SyntheticTable& all, size_t label)
      : all_(all), place_(static_cast<int64_t>(label)), labels_{all.labels()[label]} {}
  const std::vector<SyntheticId>& ids() const override { return all_.ids(); }
  const std::vector<std::string>& features() const override { return all_.features(); }
  const std::vector<SyntheticLabel>& labels() const override { return labels_; }
  void fill(uint64_t step, int64_t first_row, int64_t rows, float* x, float* label_values) const override {
    std::vector<float> every(static_cast<size_t>(rows * all_.tasks()));
    all_.fill(step, first_row, rows, x, every.data());
    for (int64_t row = 0; row < rows; ++row) label_values[row] = every[row * all_.tasks() + place_];
  }
  void fill_ids(uint64_t step, int64_t first_row, int64_t rows, uint64_t* values) const override {
    all_.fill_ids(step, first_row, rows, values);
  }
  Json truth() const override { return all_.truth(); }

 private:
  const SyntheticTable& all_;
  int64_t place_;
  std::vector<SyntheticLabel> labels_;
};

FeatureSpace space_of(const FeatureSpace& all, size_t task) {
  FeatureSpace space = all;
  space.tasks = {all.tasks[task]};
  space.tasks[0].parents.clear();
  space.tasks[0].only_where.clear();  // other rows have no label anyway
  space.task_column.clear();
  return space;
}

// Options that name tasks keep this one alone.
Json model_of(Json model, const std::string& task) {
  if (model.contains("chain") && !model["chain"].empty()) model["chain"] = {task};
  if (!model.contains("groups")) return model;
  Json groups = Json::object();
  for (const auto& [name, members] : model["groups"].items()) {
    for (const Json& member : members) {
      if (member == task) groups[name] = {task};
    }
  }
  model["groups"] = groups;
  return model;
}

TrainingOptions training_of(TrainingOptions training) {
  training.stop["policy"] = "mean";
  training.stop["task"] = "";
  training.stop["weights"] = Json::object();
  training.task_sampling = Json::object();
  training.probes = {{"rows", 0}};
  return training;
}

}  // namespace

std::vector<JudgedModel> train_single_models(const Configuration& configuration, TrainingRows rows,
                                             const EncodedData& judged, Pool& pool,
                                             const std::function<void(const std::string& task)>& tell) {
  const FeatureSpace all = rows.encoder.space();
  if (all.tasks.size() > most_tasks) {
    command_error(
        "diagnose: got {} tasks, expected at most {} to train a model for each; give --single MODEL, or "
        "--no-single",
        all.tasks.size(), most_tasks);
  }
  std::optional<RowsOfTask> train_rows, validation_rows;
  if (rows.train) train_rows.emplace(std::move(*rows.train));
  if (rows.validation) validation_rows.emplace(std::move(*rows.validation));
  RowsOfTask judged_rows(judged);
  const TrainingOptions training = training_of(configuration.training);
  std::vector<JudgedModel> models;
  for (size_t task = 0; task < all.tasks.size(); ++task) {
    const std::string& name = all.tasks[task].name;
    tell(name);
    JudgedModel model;
    model.space = space_of(all, task);
    const auto graph = build_graph(model.space, model_of(configuration.model, name));
    Store<float> store(*graph);
    store.initialise(static_cast<uint64_t>(training.seed));
    TrainingData data;
    if (train_rows) data.train = &train_rows->of(task);
    std::optional<OneLabel> stream;
    if (rows.stream) data.stream = &stream.emplace(*rows.stream, task);
    data.stream_indices = rows.stream_indices;
    if (validation_rows) data.validation = &validation_rows->of(task);
    train(*graph, store, model.space, data, training, TrainingRun(), pool);
    const EncodedData& own = judged_rows.of(task);
    model.predictions = predict(*graph, store, model.space, own, pool);
    model.rows.rows = own.rows;
    model.rows.tasks = own.tasks;
    model.rows.labels = own.labels;
    model.rows.weights = own.weights;
    model.rows.groups = own.groups;
    models.push_back(std::move(model));
  }
  return models;
}

}  // namespace gatewise

// Training models of single tasks, and the same model under other seeds.
#include <fmt/format.h>

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

// Labels, weights and groups: what a model is judged by.
EncodedData judged_by(const EncodedData& rows) {
  EncodedData kept;
  kept.rows = rows.rows;
  kept.tasks = rows.tasks;
  kept.labels = rows.labels;
  kept.weights = rows.weights;
  kept.row_task = rows.row_task;
  kept.groups = rows.groups;
  return kept;
}

// What is trained on: rows of all tasks or of one.
struct Material {
  FeatureSpace space;
  Json model;
  TrainingData data;
  const EncodedData* judged = nullptr;
};

JudgedModel trained(const Material& material, TrainingOptions training, int64_t seed, Pool& pool) {
  training.seed = seed;
  const auto graph = build_graph(material.space, material.model);
  Store<float> store(*graph);
  store.initialise(static_cast<uint64_t>(seed));
  train(*graph, store, material.space, material.data, training, TrainingRun(), pool);
  return {material.space, judged_by(*material.judged),
          predict(*graph, store, material.space, *material.judged, pool)};
}

// ", seed 2 of 3" where there are several.
std::string count_of(int64_t number, int64_t all) {
  return all > 1 ? fmt::format(", seed {} of {}", number, all) : "";
}

}  // namespace

SeedDraws train_rivals(const Configuration& configuration, const TrainingRows& rows,
                       const EncodedData& judged, int64_t seeds, Pool& pool,
                       const std::function<void(const std::string& what)>& tell) {
  const FeatureSpace& all = rows.encoder.space();
  if (all.tasks.size() > most_tasks) {
    command_error(
        "diagnose: got {} tasks, expected at most {} to train a model for each; give --single MODEL, or "
        "--no-single",
        all.tasks.size(), most_tasks);
  }
  const int64_t first = configuration.training.seed;
  SeedDraws draws;
  Material whole{all, configuration.model, {}, &judged};
  whole.data.train = rows.train.get();
  whole.data.stream = rows.stream.get();
  whole.data.stream_indices = rows.stream_indices;
  if (rows.validation) whole.data.validation = &*rows.validation;
  TrainingOptions as_it_was = configuration.training;
  as_it_was.probes = {{"rows", 0}};
  // What a model started from is not at hand.
  for (int64_t number = 1; number < seeds && !configuration.continuation; ++number) {
    tell("the model again" + count_of(number, seeds - 1));
    draws.shared.push_back(trained(whole, as_it_was, first + number, pool));
  }
  std::optional<RowsOfTask> train_rows, validation_rows;
  if (rows.train) train_rows.emplace(*rows.train);
  if (rows.validation) validation_rows.emplace(*rows.validation);
  RowsOfTask judged_rows(judged);
  const TrainingOptions training = training_of(configuration.training);
  for (size_t task = 0; task < all.tasks.size(); ++task) {
    const std::string& name = all.tasks[task].name;
    Material one{space_of(all, task), model_of(configuration.model, name), {}, &judged_rows.of(task)};
    if (train_rows) one.data.train = &train_rows->of(task);
    std::optional<OneLabel> stream;
    if (rows.stream) one.data.stream = &stream.emplace(*rows.stream, task);
    one.data.stream_indices = rows.stream_indices;
    if (validation_rows) one.data.validation = &validation_rows->of(task);
    for (int64_t number = 1; number <= seeds; ++number) {
      tell(fmt::format("a model of task {} alone ({}/{}){}", name, task + 1, all.tasks.size(),
                       count_of(number, seeds)));
      draws.singles.push_back(trained(one, training, first + number, pool));
    }
  }
  return draws;
}

}  // namespace gatewise

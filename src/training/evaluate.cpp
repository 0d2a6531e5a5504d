// Scoring rows and judging the scores.
#include <cmath>

#include "base/error.h"
#include "metrics/calibration.h"
#include "training/batches.h"
#include "training/model.h"
#include "training/scoring.h"
#include "training/trainer.h"

namespace gatewise {
namespace {

constexpr int64_t scoring_rows = 8192;

int64_t columns_of(const TaskSpace& task) { return task.kind == "multiclass" ? task.classes : 1; }

// `interval`: null where none is wanted.
Json metric_to_json(const Metric& metric, const MetricInput& input, const Interval* interval) {
  const MetricValue value = metric.evaluate(input);
  Json json;
  json["value"] = value.value ? Json(*value.value) : Json();
  if (!value.value) json["why_undefined"] = value.why_undefined;
  json["direction"] = to_string(metric.traits().direction);
  if (value.value && interval != nullptr) {
    json["low"] = interval->low ? Json(*interval->low) : Json();
    json["high"] = interval->high ? Json(*interval->high) : Json();
    if (!interval->low) json["why_no_interval"] = interval->why_undefined;
  }
  if (!value.details.is_null()) json["details"] = value.details;
  return json;
}

// The metrics of one task by name.
Json judge(const TaskSpace& task, const MetricInput& input, const EvaluationOptions& options) {
  Json values = Json::object();
  std::vector<std::string> names = options.metrics.empty() ? default_metrics(task.kind) : options.metrics;
  if (options.metrics.empty() && task.kind == "binary" && !input.groups.empty())
    names.emplace_back("grouped_auc");
  std::erase_if(names,
                [&](const std::string& name) { return !fits_task(make_metric(name)->traits(), task.kind); });
  std::vector<std::unique_ptr<Metric>> metrics;
  for (const std::string& name : names) metrics.push_back(make_metric(name));
  std::vector<Interval> intervals;
  if (options.resamples > 0) intervals = bootstrap(metrics, input, options.resamples, 0.95, options.seed);
  for (size_t i = 0; i < names.size(); ++i) {
    values[names[i]] = metric_to_json(*metrics[i], input, intervals.empty() ? nullptr : &intervals[i]);
  }
  return values;
}

}  // namespace

std::vector<std::string> default_metrics(const std::string& task_kind) {
  if (task_kind == "binary") return {"auc", "log_loss", "calibration_ratio"};
  if (task_kind == "multiclass") return {"accuracy", "log_loss"};
  return {"rmse", "mae", "r2"};
}

std::vector<ValueList> no_predictions(const FeatureSpace& space) {
  std::vector<ValueList> predictions;
  if (space.has_own_labels()) {
    predictions.emplace_back(std::any_of(space.tasks.begin(), space.tasks.end(),
                                         [](const TaskSpace& task) { return task.is_rescaled(); }));
  } else {
    for (const TaskSpace& task : space.tasks) predictions.emplace_back(task.is_rescaled());
  }
  return predictions;
}

void append_predictions(const Graph& graph, const Program<float>& program, const FeatureSpace& space,
                        const EncodedData& data, int64_t first, int64_t rows,
                        std::vector<ValueList>& predictions) {
  const bool is_own = space.has_own_labels();
  for (size_t output = 0; output < predictions.size(); ++output) {
    const std::string& name = is_own ? own_output : space.tasks[output].name;
    const ConstRows<float> values = program.value(graph.find(name));
    const int64_t width = columns_of(space.tasks[output]);
    for (int64_t row = 0; row < rows; ++row) {
      const TaskSpace& task = space.tasks[is_own ? data.row_task[first + row] : output];
      for (int64_t i = 0; i < width; ++i) {
        const double value = values.data[row * values.stride + i];
        predictions[output].push_back(task.kind == "regression" ? task.to_original(value) : value);
      }
    }
  }
}

JudgedTask::JudgedTask(const FeatureSpace& space, size_t index, const EncodedData& data,
                       const std::vector<ValueList>& predictions)
    : classes_(columns_of(space.tasks[index])),
      is_own_(space.has_own_labels()),
      labels_(space.tasks[index].is_rescaled()),
      own_predictions_(predictions[is_own_ ? 0 : index].is_wide()),
      groups_(data.groups) {
  const TaskSpace& task = space.tasks[index];
  for (int64_t row = 0; row < data.rows; ++row) {
    if (is_own_ && data.row_task[row] != index) continue;
    const int64_t place = row * data.tasks + (is_own_ ? 0 : static_cast<int64_t>(index));
    const double label = data.labels[place];
    labels_.push_back(labels_.is_wide() ? task.to_original(label) : label);
    if (!data.weights.empty()) weights_.push_back(data.weights[place]);
    ++rows_;
    if (!is_own_) continue;
    for (int64_t i = row * classes_; i < (row + 1) * classes_; ++i)
      own_predictions_.push_back(predictions[0][i]);
    if (!data.groups.empty()) own_groups_.push_back(data.groups[row]);
  }
  if (!is_own_) predictions_ = predictions[index];
}

MetricInput JudgedTask::input() const {
  MetricInput input;
  input.rows = rows_;
  input.classes = classes_;
  input.predictions = is_own_ ? own_predictions_ : predictions_;
  input.labels = labels_;
  input.weights = weights_;
  input.groups = is_own_ ? own_groups_ : groups_;
  return input;
}

Json judge_predictions(const FeatureSpace& space, const EncodedData& data,
                       const std::vector<ValueList>& predictions, const EvaluationOptions& options) {
  if (data.labels.empty()) data_error("evaluation: the rows have no labels");
  Json tasks = Json::object(), calibrations = Json::object();
  for (size_t index = 0; index < space.tasks.size(); ++index) {
    const TaskSpace& task = space.tasks[index];
    if (!space.has_own_labels() && predictions[index].empty()) continue;
    const JudgedTask judged(space, index, data, predictions);
    tasks[task.name] = judge(task, judged.input(), options);
    if (options.calibration_bins > 0)
      calibrations[task.name] = calibration(judged.input(), options.calibration_bins);
  }
  Json found{{"rows", data.rows}, {"tasks", tasks}};
  if (options.calibration_bins > 0) found["calibration"] = calibrations;
  return found;
}

Scorer::Scorer(const Graph& graph, Store<float>& store, const FeatureSpace& space, Pool& pool,
               const std::vector<std::string>& names)
    : graph_(graph), space_(space), names_(names), loader_(graph, space), program_(store, pool, [&] {
        PlanOptions options;
        options.is_training = false;
        options.batch_rows = scoring_rows;
        for (const std::string& name : names) options.watched.push_back(graph.find(name));
        return options;
      }()) {}

std::vector<ValueList> Scorer::predict(const EncodedData& data) {
  program_.parameters_changed();
  std::vector<ValueList> predictions = no_predictions(space_);
  for (int64_t first = 0; first < data.rows; first += scoring_rows) {
    const int64_t rows = std::min(scoring_rows, data.rows - first);
    program_.forward(loader_.view(data, first, rows), Run{});
    append_predictions(graph_, program_, space_, data, first, rows, predictions);
  }
  return predictions;
}

std::vector<InnerValue> Scorer::inner_values(const EncodedData& data) {
  program_.parameters_changed();
  std::vector<InnerValue> found;
  for (const std::string& name : names_)
    found.push_back({name, graph_.nodes()[graph_.find(name)].signature.shape.elements(), {}});
  for (int64_t first = 0; first < data.rows; first += scoring_rows) {
    const int64_t rows = std::min(scoring_rows, data.rows - first);
    program_.forward(loader_.view(data, first, rows), Run{});
    for (InnerValue& value : found) {
      const ConstRows<float> of_rows = program_.value(graph_.find(value.name));
      for (int64_t row = 0; row < rows; ++row) {
        const float* from = of_rows.data + row * of_rows.stride;
        value.values.insert(value.values.end(), from, from + value.width);
      }
    }
  }
  return found;
}

Json Scorer::evaluate(const EncodedData& data, const EvaluationOptions& options) {
  return judge_predictions(space_, data, predict(data), options);
}

std::vector<ValueList> predict(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                               const EncodedData& data, Pool& pool) {
  return Scorer(graph, store, space, pool).predict(data);
}

std::vector<InnerValue> gate_weights(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                                     const EncodedData& data, Pool& pool) {
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> experts;
  for (const LevelProbe& level : graph.probes()) {
    for (const GateProbe& gate : level.gates) {
      std::vector<std::string>& seen = experts.emplace_back();
      for (const int expert : gate.sees) seen.push_back(level.experts[expert].path);
      names.push_back(gate.path);
    }
  }
  if (names.empty())
    data_error("predict: --gates: the model has no gates, or was saved before it named them");
  std::vector<InnerValue> values = inner_values(graph, store, space, data, names, pool);
  for (size_t i = 0; i < values.size(); ++i) values[i].labels = std::move(experts[i]);
  return values;
}

std::vector<InnerValue> inner_values(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                                     const EncodedData& data, const std::vector<std::string>& names,
                                     Pool& pool) {
  return Scorer(graph, store, space, pool, names).inner_values(data);
}

Json evaluate(const Graph& graph, Store<float>& store, const FeatureSpace& space, const EncodedData& data,
              const EvaluationOptions& options, Pool& pool) {
  return Scorer(graph, store, space, pool).evaluate(data, options);
}

}  // namespace gatewise

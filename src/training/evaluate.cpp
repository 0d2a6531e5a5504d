// Scoring rows and judging the scores.
#include "base/error.h"
#include "training/batches.h"
#include "training/scoring.h"
#include "training/trainer.h"

namespace gatewise {
namespace {

constexpr int64_t scoring_rows = 8192;

// The rows of one task as a metric wants them: labels in original units, its column of weights.
struct TaskRows {
  std::vector<float> labels, weights;

  TaskRows(const EncodedData& data, const TaskSpace& task, size_t index) {
    const auto tasks = static_cast<size_t>(data.tasks);
    for (size_t row = 0; row < static_cast<size_t>(data.rows); ++row) {
      const float label = data.labels[row * tasks + index];
      const bool is_scaled = task.kind == "regression" && !std::isnan(label);
      labels.push_back(is_scaled ? static_cast<float>(task.to_original(label)) : label);
      if (!data.weights.empty()) weights.push_back(data.weights[row * tasks + index]);
    }
  }
};

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

}  // namespace

std::vector<std::string> default_metrics(const std::string& task_kind) {
  if (task_kind == "binary") return {"auc", "log_loss", "calibration_ratio"};
  if (task_kind == "multiclass") return {"accuracy", "log_loss"};
  return {"rmse", "mae", "r2"};
}

Scorer::Scorer(const Graph& graph, Store<float>& store, const FeatureSpace& space, Pool& pool)
    : graph_(graph), space_(space), loader_(graph, space), program_(store, pool, [] {
        PlanOptions options;
        options.is_training = false;
        options.batch_rows = scoring_rows;
        return options;
      }()) {}

std::vector<std::vector<float>> Scorer::predict(const EncodedData& data) {
  program_.parameters_changed();
  std::vector<std::vector<float>> predictions(space_.tasks.size());
  for (int64_t first = 0; first < data.rows; first += scoring_rows) {
    const int64_t rows = std::min(scoring_rows, data.rows - first);
    program_.forward(loader_.view(data, first, rows), Run{});
    for (size_t task = 0; task < space_.tasks.size(); ++task) {
      const TaskSpace& space = space_.tasks[task];
      const ConstRows<float> values = program_.value(graph_.find(space.name));
      const int64_t width = space.kind == "multiclass" ? space.classes : 1;
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t i = 0; i < width; ++i) {
          const float value = values.data[row * values.stride + i];
          predictions[task].push_back(
              space.kind == "regression" ? static_cast<float>(space.to_original(value)) : value);
        }
      }
    }
  }
  return predictions;
}

Json Scorer::evaluate(const EncodedData& data, const EvaluationOptions& options) {
  if (data.labels.empty()) data_error("evaluation: the rows have no labels");
  const std::vector<std::vector<float>> predictions = predict(data);
  Json tasks = Json::object();
  for (size_t index = 0; index < space_.tasks.size(); ++index) {
    const TaskSpace& task = space_.tasks[index];
    const TaskRows rows(data, task, index);
    MetricInput input;
    input.rows = data.rows;
    input.classes = task.kind == "multiclass" ? task.classes : 1;
    input.predictions = predictions[index];
    input.labels = rows.labels;
    input.weights = rows.weights;
    input.groups = data.groups;
    Json values = Json::object();
    std::vector<std::string> names = options.metrics.empty() ? default_metrics(task.kind) : options.metrics;
    if (options.metrics.empty() && task.kind == "binary" && !data.groups.empty())
      names.emplace_back("grouped_auc");
    std::erase_if(
        names, [&](const std::string& name) { return !fits_task(make_metric(name)->traits(), task.kind); });
    std::vector<std::unique_ptr<Metric>> metrics;
    for (const std::string& name : names) metrics.push_back(make_metric(name));
    std::vector<Interval> intervals;
    if (options.resamples > 0) intervals = bootstrap(metrics, input, options.resamples, 0.95, options.seed);
    for (size_t i = 0; i < names.size(); ++i) {
      values[names[i]] = metric_to_json(*metrics[i], input, intervals.empty() ? nullptr : &intervals[i]);
    }
    tasks[task.name] = values;
  }
  return {{"rows", data.rows}, {"tasks", tasks}};
}

std::vector<std::vector<float>> predict(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                                        const EncodedData& data, Pool& pool) {
  return Scorer(graph, store, space, pool).predict(data);
}

Json evaluate(const Graph& graph, Store<float>& store, const FeatureSpace& space, const EncodedData& data,
              const EvaluationOptions& options, Pool& pool) {
  return Scorer(graph, store, space, pool).evaluate(data, options);
}

}  // namespace gatewise

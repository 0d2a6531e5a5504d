// Scoring rows and judging the scores.
#include "base/error.h"
#include "metrics/calibration.h"
#include "training/batches.h"
#include "training/model.h"
#include "training/scoring.h"
#include "training/trainer.h"

namespace gatewise {
namespace {

constexpr int64_t scoring_rows = 8192;

// The rows of one task as a metric wants them: labels in original units, its column of weights. Of rows of
// one task those of others are left out.
struct TaskRows {
  int64_t rows = 0;
  std::vector<float> labels, weights, own_predictions;
  std::vector<uint64_t> own_groups;

  TaskRows(const EncodedData& data, const TaskSpace& task, size_t index) : rows(data.rows) {
    for (int64_t row = 0; row < data.rows; ++row)
      add(data, task, row * data.tasks + static_cast<int64_t>(index));
  }

  // `predictions` [rows of the data, classes] of each row's own task.
  TaskRows(const EncodedData& data, const TaskSpace& task, const std::vector<int64_t>& own,
           const std::vector<float>& predictions, int64_t classes)
      : rows(static_cast<int64_t>(own.size())) {
    for (const int64_t row : own) {
      add(data, task, row);
      own_predictions.insert(own_predictions.end(), predictions.begin() + row * classes,
                             predictions.begin() + (row + 1) * classes);
      if (!data.groups.empty()) own_groups.push_back(data.groups[row]);
    }
  }

  void add(const EncodedData& data, const TaskSpace& task, int64_t place) {
    const float label = data.labels[place];
    const bool is_scaled = task.kind == "regression" && !std::isnan(label);
    labels.push_back(is_scaled ? static_cast<float>(task.to_original(label)) : label);
    if (!data.weights.empty()) weights.push_back(data.weights[place]);
  }
};

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

Scorer::Scorer(const Graph& graph, Store<float>& store, const FeatureSpace& space, Pool& pool,
               const std::vector<std::string>& names)
    : graph_(graph), space_(space), names_(names), loader_(graph, space), program_(store, pool, [&] {
        PlanOptions options;
        options.is_training = false;
        options.batch_rows = scoring_rows;
        for (const std::string& name : names) options.watched.push_back(graph.find(name));
        return options;
      }()) {}

std::vector<std::vector<float>> Scorer::predict(const EncodedData& data) {
  program_.parameters_changed();
  const bool is_own = space_.has_own_labels();
  std::vector<std::vector<float>> predictions(is_own ? 1 : space_.tasks.size());
  for (int64_t first = 0; first < data.rows; first += scoring_rows) {
    const int64_t rows = std::min(scoring_rows, data.rows - first);
    program_.forward(loader_.view(data, first, rows), Run{});
    for (size_t output = 0; output < predictions.size(); ++output) {
      const std::string& name = is_own ? own_output : space_.tasks[output].name;
      const ConstRows<float> values = program_.value(graph_.find(name));
      const int64_t width = columns_of(space_.tasks[output]);
      for (int64_t row = 0; row < rows; ++row) {
        const TaskSpace& task = space_.tasks[is_own ? data.row_task[first + row] : output];
        for (int64_t i = 0; i < width; ++i) {
          const float value = values.data[row * values.stride + i];
          predictions[output].push_back(
              task.kind == "regression" ? static_cast<float>(task.to_original(value)) : value);
        }
      }
    }
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
  if (data.labels.empty()) data_error("evaluation: the rows have no labels");
  return judge_predictions(space_, data, predict(data), options);
}

Json judge_predictions(const FeatureSpace& space, const EncodedData& data,
                       const std::vector<std::vector<float>>& predictions, const EvaluationOptions& options) {
  const bool is_own = space.has_own_labels();
  std::vector<std::vector<int64_t>> own(is_own ? space.tasks.size() : 0);
  for (int64_t row = 0; is_own && row < data.rows; ++row) own[data.row_task[row]].push_back(row);
  Json tasks = Json::object(), calibrations = Json::object();
  for (size_t index = 0; index < space.tasks.size(); ++index) {
    const TaskSpace& task = space.tasks[index];
    if (!is_own && predictions[index].empty()) continue;
    const TaskRows rows = is_own ? TaskRows(data, task, own[index], predictions[0], columns_of(task))
                                 : TaskRows(data, task, index);
    MetricInput input;
    input.rows = rows.rows;
    input.classes = columns_of(task);
    input.predictions = is_own ? rows.own_predictions : predictions[index];
    input.labels = rows.labels;
    input.weights = rows.weights;
    input.groups = is_own ? rows.own_groups : data.groups;
    tasks[task.name] = judge(task, input, options);
    if (options.calibration_bins > 0) calibrations[task.name] = calibration(input, options.calibration_bins);
  }
  Json found{{"rows", data.rows}, {"tasks", tasks}};
  if (options.calibration_bins > 0) found["calibration"] = calibrations;
  return found;
}

std::vector<std::vector<float>> predict(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                                        const EncodedData& data, Pool& pool) {
  return Scorer(graph, store, space, pool).predict(data);
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

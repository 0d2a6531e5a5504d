#include "scoring/predictor.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model_file/model_fit.h"

namespace gatewise {

Predictor::Predictor(const Graph& graph, const Store<float>& store, const FeatureSpace* space)
    : program_(std::make_shared<const ScoringProgram>(store)),
      bindings_(graph, program_->inputs(), space),
      has_own_labels_(space != nullptr && space->has_own_labels()) {
  if (space != nullptr) require_model_fit(graph, *space);
  add_columns(graph, space);
}

void Predictor::add_columns(const Graph& graph, const FeatureSpace* space) {
  const auto add = [&](PredictionColumns column, const std::string& output) {
    const auto& outputs = graph.outputs();
    const auto found = std::find_if(outputs.begin(), outputs.end(),
                                    [&](const auto& known) { return known.first == output; });
    if (found == outputs.end()) data_error("scoring: the model has no output \"{}\"", output);
    column.output = static_cast<size_t>(found - outputs.begin());
    column.offset = width_;
    column.width = graph.node(found->second).signature.shape.elements();
    width_ += column.width;
    columns_.push_back(std::move(column));
  };
  if (space == nullptr) {
    for (const auto& [name, node] : graph.outputs()) add({.name = name}, name);
    scalings_.assign(columns_.size(), nullptr);
    return;
  }
  for (const TaskSpace& task : space->tasks) kept_scalings_.push_back(task.scaling);
  for (size_t i = 0; i < space->tasks.size(); ++i) {
    const TaskSpace& task = space->tasks[i];
    scalings_.push_back(task.kind == "regression" ? &kept_scalings_[i] : nullptr);
    if (space->has_own_labels()) {
      if (i == 0) add({.name = own_output, .kind = task.kind, .class_names = task.class_names}, own_output);
      columns_[0].is_wide |= task.is_rescaled();
    } else {
      add({.name = task.name,
           .kind = task.kind,
           .class_names = task.class_names,
           .is_wide = task.is_rescaled()},
          task.name);
    }
  }
}

template <class Number>
void Predictor::write(const ScoringRun& run, int64_t rows, const Ids* tasks, Number* predictions) const {
  for (size_t column = 0; column < columns_.size(); ++column) {
    const PredictionColumns& columns = columns_[column];
    const ConstRows<float> values = run.output(columns.output);
    for (int64_t row = 0; row < rows; ++row) {
      const float* from = values.data + row * values.stride;
      Number* to = predictions + row * width_ + columns.offset;
      const Scaling* scaling =
          scalings_[tasks == nullptr ? column : static_cast<size_t>(tasks->ids[row * tasks->stride])];
      for (int64_t i = 0; i < columns.width; ++i)
        to[i] = scaling == nullptr ? Number{from[i]} : static_cast<Number>(scaling->invert(from[i]));
    }
  }
}

template <class Number>
void Predictor::require_finite(const Number* predictions, int64_t rows, int64_t first) const {
  // A sum of zeros but where a value times zero is none.
  Number sum = 0;
  for (int64_t i = 0; i < rows * width_; ++i) sum += predictions[i] * 0;
  if (sum == 0) return;
  for (int64_t row = 0; row < rows; ++row) {
    for (const PredictionColumns& columns : columns_) {
      const Number* values = predictions + row * width_ + columns.offset;
      const bool is_finite =
          std::all_of(values, values + columns.width, [](Number x) { return std::isfinite(x); });
      if (is_finite || columns.kind.empty()) continue;
      data_error(
          "row {}: the prediction of \"{}\" is no finite number; a number of the row is none either, or is "
          "too large for the model",
          first + row + 1, columns.name);
    }
  }
}

PredictionRun::PredictionRun(std::shared_ptr<const Predictor> predictor)
    : predictor_(std::move(predictor)), run_(predictor_->program()) {}

template <class Number>
void PredictionRun::predict(int64_t rows, std::span<const ScoringInput> inputs, Number* predictions) {
  run_.forward(rows, inputs);
  const int task_input = predictor_->bindings_.task_input();
  const bool has_tasks = predictor_->has_own_labels_ && task_input >= 0;
  predictor_->write(run_, rows, has_tasks ? &inputs[task_input].ids : nullptr, predictions);
}

template <class Number>
void PredictionRun::predict(const EncodedData& data, int64_t first, int64_t rows, Number* predictions) {
  predictor_->bind(data, first, inputs_);
  predict(rows, inputs_, predictions);
}

template void Predictor::write(const ScoringRun&, int64_t, const Ids*, float*) const;
template void Predictor::write(const ScoringRun&, int64_t, const Ids*, double*) const;
template void Predictor::require_finite(const float*, int64_t, int64_t) const;
template void Predictor::require_finite(const double*, int64_t, int64_t) const;
template void PredictionRun::predict(int64_t, std::span<const ScoringInput>, float*);
template void PredictionRun::predict(int64_t, std::span<const ScoringInput>, double*);
template void PredictionRun::predict(const EncodedData&, int64_t, int64_t, float*);
template void PredictionRun::predict(const EncodedData&, int64_t, int64_t, double*);

}  // namespace gatewise

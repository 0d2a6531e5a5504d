#include "training/validation.h"

#include <algorithm>
#include <cmath>

#include "training/labelled_rows.h"

namespace gatewise {

Validator::Validator(Scorer& scorer, const Stopper& stopper, const FeatureSpace& space,
                     const EncodedData& rows, const std::vector<std::string>& metrics)
    : scorer_(scorer), stopper_(stopper), space_(space), rows_(rows), metrics_(metrics) {}

EvaluationOptions Validator::evaluation() const {
  EvaluationOptions evaluation;
  evaluation.resamples = 0;
  evaluation.metrics = metrics_;
  const auto add = [&](const std::string& metric) {
    std::vector<std::string>& all = evaluation.metrics;
    if (std::find(all.begin(), all.end(), metric) == all.end()) all.push_back(metric);
  };
  bool is_usual = metrics_.empty();
  for (size_t task = 0; task < space_.tasks.size() && metrics_.empty(); ++task) {
    const std::vector<std::string> usual = default_metrics(space_.tasks[task].kind);
    is_usual = is_usual && std::find(usual.begin(), usual.end(), stopper_.metric_of(task)) != usual.end();
    for (const std::string& metric : usual) add(metric);
    if (!rows_.groups.empty()) add("grouped_auc");
  }
  if (is_usual) return {{}, 0, 1};
  for (size_t task = 0; task < space_.tasks.size(); ++task) add(stopper_.metric_of(task));
  return evaluation;
}

bool Validator::overflows(size_t task, const std::vector<ValueList>& predictions) const {
  const ValueList& values = predictions[space_.has_own_labels() ? 0 : task];
  const int64_t width = space_.tasks[task].kind == "multiclass" ? space_.tasks[task].classes : 1;
  bool has_odd = false;
  each_labelled_row(space_, rows_, task, [&](int64_t row, float, double) {
    for (int64_t i = row * width; i < (row + 1) * width; ++i) has_odd = has_odd || !std::isfinite(values[i]);
  });
  return has_odd;
}

Validator::Judgement Validator::judge() {
  const auto predictions = scorer_.predict(rows_);
  Judgement judgement;
  judgement.tasks = judge_predictions(space_, rows_, predictions, evaluation())["tasks"];
  for (size_t task = 0; task < space_.tasks.size(); ++task) {
    const Json& metric = judgement.tasks.at(space_.tasks[task].name).at(stopper_.metric_of(task));
    const Json& value = metric.at("value");
    if (!value.is_null()) {
      judgement.values.emplace_back(value.get<double>());
      continue;
    }
    if (judgement.why_undefined.empty()) judgement.why_undefined = metric.value("why_undefined", "");
    judgement.values.push_back(overflows(task, predictions) ? std::optional(std::nan("")) : std::nullopt);
  }
  return judgement;
}

}  // namespace gatewise

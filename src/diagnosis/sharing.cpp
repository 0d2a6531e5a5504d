#include "diagnosis/sharing.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace gatewise {
namespace {

// The model that has the task and its place there.
std::pair<const JudgedModel*, size_t> find_task(const std::vector<JudgedModel>& models,
                                                const std::string& name) {
  for (const JudgedModel& model : models) {
    for (size_t task = 0; task < model.space.tasks.size(); ++task) {
      if (model.space.tasks[task].name == name) return {&model, task};
    }
  }
  return {nullptr, 0};
}

// Predictions of missing labels judge nothing; the labels that count have to be the same.
void require_same_labels(const std::string& task, const MetricInput& a, const MetricInput& b) {
  std::vector<float> of_a, of_b;
  for (const auto& [input, labels] : {std::pair(&a, &of_a), std::pair(&b, &of_b)}) {
    for (const float label : input->labels) {
      if (!std::isnan(label)) labels->push_back(label);
    }
  }
  const auto is_close = [](float x, float y) { return std::abs(x - y) <= 1e-5F * (1 + std::abs(x)); };
  if (of_a.size() == of_b.size() && std::equal(of_a.begin(), of_a.end(), of_b.begin(), is_close)) return;
  data_error(
      "diagnose: the labels of task \"{}\" differ between the model and the single-task model ({} and {} of "
      "them); both have to define the task alike",
      task, of_a.size(), of_b.size());
}

Json compare_task(const TaskSpace& task, const MetricInput& shared, const MetricInput& single,
                  const SharingOptions& options) {
  const std::string name = main_metric(task.kind);
  const auto metric = make_metric(name);
  Json found{{"metric", name}};
  const PairedDifference pair =
      paired_bootstrap(*metric, shared, single, std::max<int64_t>(2, options.resamples), 0.95, options.seed);
  found["shared"] = pair.a ? Json(*pair.a) : Json();
  found["single"] = pair.b ? Json(*pair.b) : Json();
  if (!pair.a || !pair.b) {
    found["verdict"] = "undefined";
    found["why"] = pair.interval.why_undefined;
    return found;
  }
  // Every main metric is better when higher.
  found["gain"] = *pair.a - *pair.b;
  found["low"] = pair.interval.low ? Json(*pair.interval.low) : Json();
  found["high"] = pair.interval.high ? Json(*pair.interval.high) : Json();
  const bool has_interval = pair.interval.low.has_value();
  found["verdict"] = !has_interval             ? "unclear"
                     : *pair.interval.low > 0  ? "helps"
                     : *pair.interval.high < 0 ? "hurts"
                                               : "unclear";
  if (!has_interval) found["why"] = pair.interval.why_undefined;
  return found;
}

std::string gain_text(const std::string& task, const Json& found) {
  if (!found.contains("gain")) return fmt::format("{} ({})", task, found.value("why", "undefined"));
  const std::string metric = found["metric"] == "auc" ? "AUC" : found["metric"] == "r2" ? "R²" : "accuracy";
  std::string text = fmt::format("{} ({} {:+.4f}", task, metric, found["gain"].get<double>());
  if (found["low"].is_number()) {
    text += fmt::format(", 95 % interval {:+.4f} to {:+.4f}", found["low"].get<double>(),
                        found["high"].get<double>());
  }
  return text + ")";
}

}  // namespace

std::string main_metric(const std::string& task_kind) {
  return task_kind == "binary" ? "auc" : task_kind == "regression" ? "r2" : "accuracy";
}

Json compare_with_single(const JudgedModel& shared, const std::vector<JudgedModel>& singles,
                         const SharingOptions& options) {
  Json tasks = Json::object();
  for (size_t task = 0; task < shared.space.tasks.size(); ++task) {
    const TaskSpace& of_task = shared.space.tasks[task];
    const auto [model, place] = find_task(singles, of_task.name);
    if (model == nullptr) continue;
    const JudgedTask ours(shared.space, task, shared.rows, shared.predictions);
    const JudgedTask theirs(model->space, place, model->rows, model->predictions);
    require_same_labels(of_task.name, ours.input(), theirs.input());
    tasks[of_task.name] = compare_task(of_task, ours.input(), theirs.input(), options);
  }
  return tasks;
}

std::string sharing_text(const Json& tasks) {
  std::string text;
  const auto add = [&](const std::string& verdict, const std::string& words) {
    std::vector<std::string> members;
    for (const auto& [task, found] : tasks.items()) {
      if (found["verdict"] == verdict) members.push_back(gain_text(task, found));
    }
    if (members.empty()) return;
    text += text.empty() ? "" : "; ";
    text += fmt::format("{} {}", words, fmt::join(members, ", "));
  };
  add("helps", "sharing helps");
  add("hurts", text.empty() ? "sharing hurts" : "it hurts");
  add("unclear", text.empty() ? "sharing makes no clear difference for" : "it makes no clear difference for");
  add("undefined", "not comparable:");
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace gatewise

#include "diagnosis/sharing.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "metrics/student_t.h"

namespace gatewise {
namespace {

// What metrics judge of one task in every model that has it.
std::vector<JudgedTask> draws_of(const std::vector<JudgedModel>& models, const std::string& task) {
  std::vector<JudgedTask> draws;
  for (const JudgedModel& model : models) {
    for (size_t place = 0; place < model.space.tasks.size(); ++place) {
      if (model.space.tasks[place].name == task)
        draws.emplace_back(model.space, place, model.rows, model.predictions);
    }
  }
  return draws;
}

// Predictions of missing labels judge nothing; the labels that count have to be the same.
void require_same_labels(const std::string& task, const MetricInput& a, const MetricInput& b) {
  std::vector<double> of_a, of_b;
  for (const auto& [input, labels] : {std::pair(&a, &of_a), std::pair(&b, &of_b)}) {
    for (int64_t row = 0; row < input->rows; ++row) {
      if (!std::isnan(input->labels[row])) labels->push_back(input->labels[row]);
    }
  }
  const auto is_close = [](double x, double y) { return std::abs(x - y) <= 1e-5 * (1 + std::abs(x)); };
  if (of_a.size() == of_b.size() && std::equal(of_a.begin(), of_a.end(), of_b.begin(), is_close)) return;
  data_error(
      "diagnose: the labels of task \"{}\" differ between the model and the single-task model ({} and {} of "
      "them); both have to define the task alike",
      task, of_a.size(), of_b.size());
}

// The value of one model less the mean of others on the same rows.
class PreparedGain final : public PreparedMetric {
 public:
  PreparedGain(const Metric& metric, const MetricInput& model, const std::vector<JudgedTask>& others)
      : model_(metric.prepare(model)) {
    for (const JudgedTask& other : others) others_.push_back(metric.prepare(other.input()));
  }

  int64_t units() const override { return model_->units(); }
  MetricValue value(std::span<const double> counts) const override {
    MetricValue gain = model_->value(counts);
    for (const auto& other : others_) {
      const MetricValue of_other = other->value(counts);
      if (!gain.value || !of_other.value)
        return {std::nullopt, gain.value ? of_other.why_undefined : gain.why_undefined, {}};
      *gain.value -= *of_other.value / static_cast<double>(others_.size());
    }
    return gain;
  }

 private:
  std::unique_ptr<PreparedMetric> model_;
  std::vector<std::unique_ptr<PreparedMetric>> others_;
};

class Gain final : public Metric {
 public:
  Gain(const Metric& metric, const std::vector<JudgedTask>& others) : metric_(metric), others_(others) {}
  MetricTraits traits() const override { return metric_.traits(); }
  std::unique_ptr<PreparedMetric> prepare(const MetricInput& input) const override {
    return std::make_unique<PreparedGain>(metric_, input, others_);
  }

 private:
  const Metric& metric_;
  const std::vector<JudgedTask>& others_;
};

struct Spread {
  double mean = 0, squares = 0;  // the sum of squared differences from the mean
};
Spread spread_of(const std::vector<double>& values) {
  Spread spread;
  for (const double value : values) spread.mean += value / static_cast<double>(values.size());
  for (const double value : values) spread.squares += (value - spread.mean) * (value - spread.mean);
  return spread;
}

Json compare_task(const TaskSpace& task, const MetricInput& model, const std::vector<JudgedTask>& again,
                  const std::vector<JudgedTask>& singles, const SharingOptions& options) {
  const std::string name = main_metric(task.kind);
  const auto metric = make_metric(name);
  // Every main metric is better when higher.
  const Gain gain_of(*metric, singles);
  const MetricValue gain = gain_of.evaluate(model);
  Json found{{"metric", name}, {"shared_models", 1 + again.size()}, {"single_models", singles.size()}};
  const auto value_of = [&](const MetricInput& input) { return metric->evaluate(input).value; };
  found["shared"] = value_of(model) ? Json(*value_of(model)) : Json();
  found["single"] = nullptr;
  if (!gain.value) {
    found["verdict"] = "undefined";
    found["why"] = gain.why_undefined;
    return found;
  }
  std::vector<double> of_kind{*value_of(model)}, alone;
  for (const JudgedTask& draw : again) of_kind.push_back(value_of(draw.input()).value_or(NAN));
  for (const JudgedTask& draw : singles) alone.push_back(*value_of(draw.input()));
  const Spread kind = spread_of(of_kind), single = spread_of(alone);
  found["single"] = single.mean;
  found["gain"] = *gain.value;
  const Interval rows =
      bootstrap(gain_of, model, std::max<int64_t>(2, options.resamples), 0.95, options.seed);
  found["rows_low"] = rows.low ? Json(*rows.low) : Json();
  found["rows_high"] = rows.high ? Json(*rows.high) : Json();
  const auto degrees = static_cast<double>(of_kind.size() + alone.size() - 2);
  const double deviation = degrees > 0 ? std::sqrt((kind.squares + single.squares) / degrees) : NAN;
  found["seed_deviation"] = std::isnan(deviation) ? Json() : Json(deviation);
  found["low"] = found["high"] = nullptr;
  found["verdict"] = "unclear";
  if (!rows.low || std::isnan(deviation)) {
    found["why"] =
        rows.low ? "one model of each kind tells nothing of the noise of training" : rows.why_undefined;
    return found;
  }
  const double noise =
      student_t_quantile(0.95, degrees) * deviation * std::sqrt(1 + 1 / static_cast<double>(alone.size()));
  const double low = *gain.value - std::hypot(*gain.value - *rows.low, noise);
  const double high = *gain.value + std::hypot(*rows.high - *gain.value, noise);
  found["low"] = low;
  found["high"] = high;
  if (low > 0) found["verdict"] = "helps";
  if (high < 0) found["verdict"] = "hurts";
  return found;
}

std::string gain_text(const std::string& task, const Json& found) {
  if (!found.contains("gain")) return fmt::format("{} ({})", task, found.value("why", "undefined"));
  const std::string metric = found["metric"] == "auc" ? "AUC" : found["metric"] == "r2" ? "R²" : "accuracy";
  std::string text = fmt::format("{} ({} {:+.4f}", task, metric, found["gain"].get<double>());
  if (found["low"].is_number()) {
    text += fmt::format(", 95 % interval {:+.4f} to {:+.4f}", found["low"].get<double>(),
                        found["high"].get<double>());
  } else {
    text += ": " + found.value("why", "without an interval");
  }
  return text + ")";
}

}  // namespace

std::string main_metric(const std::string& task_kind) {
  return task_kind == "binary" ? "auc" : task_kind == "regression" ? "r2" : "accuracy";
}

Json compare_with_single(const JudgedModel& model, const SeedDraws& rivals, const SharingOptions& options) {
  Json tasks = Json::object();
  for (size_t task = 0; task < model.space.tasks.size(); ++task) {
    const TaskSpace& of_task = model.space.tasks[task];
    const std::vector<JudgedTask> singles = draws_of(rivals.singles, of_task.name);
    if (singles.empty()) continue;
    const JudgedTask own(model.space, task, model.rows, model.predictions);
    for (const JudgedTask& single : singles) require_same_labels(of_task.name, own.input(), single.input());
    tasks[of_task.name] =
        compare_task(of_task, own.input(), draws_of(rivals.shared, of_task.name), singles, options);
  }
  return tasks;
}

std::string sharing_text(const Json& tasks, const std::string& what) {
  std::string text;
  const auto add = [&](const std::string& verdict, bool has_interval, const std::string& words) {
    std::vector<std::string> members;
    for (const auto& [task, found] : tasks.items()) {
      const bool is_known = found.contains("low") && found["low"].is_number();
      if (found["verdict"] == verdict && is_known == has_interval) members.push_back(gain_text(task, found));
    }
    if (members.empty()) return;
    text += text.empty() ? "" : "; ";
    text += fmt::format("{} {}", words, fmt::join(members, ", "));
  };
  const auto subject = [&] { return text.empty() ? "sharing " + what : "it "; };
  add("helps", true, subject() + "helps");
  add("hurts", true, subject() + "hurts");
  add("unclear", true, subject() + "makes no clear difference for");
  add("unclear", false, "not known for");
  add("undefined", false, "not comparable:");
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace gatewise

// The rules about tasks: conflict and silent failure.
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "diagnosis/rules.h"
#include "diagnosis/sharing.h"
#include "metrics/student_t.h"

namespace gatewise {
namespace {

Verdict failure(const std::string& task, const std::string& cause) {
  Verdict verdict{"silent_failure", task, "", "", {task}, {}, {}, 1};
  verdict.evidence = {{"cause", cause}};
  return verdict;
}

void name_causes(const Background& background, Verdict& verdict) {
  if (background.wild_columns.empty()) return;
  verdict.evidence["wild_columns"] = background.wild_columns;
  verdict.text += fmt::format("; {} reach more than {:.0f} once encoded",
                              fmt::join(background.wild_columns, ", "), background.options.wild_number);
}

// No better than guessing.
bool is_chance(const TaskSpace& task, const TaskFacts& facts, const DiagnosisOptions& options,
               Verdict& verdict) {
  const std::string metric = main_metric(task.kind);
  // What guessing gives, and how far above it counts as nothing.
  const double threshold = (task.kind == "binary" ? 0.5 : 0) + options.chance_margin;
  if (!(facts.main < threshold)) return false;
  verdict = failure(task.name, "chance");
  verdict.evidence[metric] = facts.main;
  verdict.evidence["low"] = facts.low;
  verdict.evidence["high"] = facts.high;
  verdict.evidence["threshold"] = threshold;
  verdict.evidence["labels"] = facts.informative;
  verdict.text = fmt::format(
      "{} {:.4f} (95 % interval {:.4f} to {:.4f}) is no better than guessing, with {} "
      "informative labels",
      metric, facts.main, facts.low, facts.high, facts.informative);
  verdict.confidence = facts.high < threshold + options.chance_margin + 1e-9 ? 0.95 : 0.5;
  return true;
}

// The same of several classes, whose accuracy is that of guessing wherever the largest class is likeliest: no
// class is told from the rest, or the probabilities are worth less than the shares of the classes and name no
// class more often rightly. Class weights move probabilities on purpose.
bool is_chance_of_classes(const TaskSpace& task, const TaskFacts& facts, const DiagnosisOptions& options,
                          Verdict& verdict) {
  const double threshold = 0.5 + options.chance_margin;
  const bool is_blind = facts.auc < threshold;
  const bool is_worse_than_shares =
      task.class_weights.empty() && facts.log_loss >= facts.label_entropy && facts.main <= facts.majority;
  if (!is_blind && !is_worse_than_shares) return false;
  verdict = failure(task.name, "chance");
  verdict.evidence = {{"cause", "chance"},
                      {"auc", facts.auc},
                      {"low", facts.auc_low},
                      {"high", facts.auc_high},
                      {"threshold", threshold},
                      {"log_loss", facts.log_loss},
                      {"label_entropy", facts.label_entropy},
                      {"accuracy", facts.main},
                      {"largest_class", facts.majority},
                      {"labels", facts.labels}};
  verdict.text = fmt::format(
      "no better than guessing: mean AUC of each class against the rest {:.4f} (95 % interval {:.4f} to "
      "{:.4f}), log loss {:.4f} where the shares of the classes alone have {:.4f}, accuracy {:.4f} where the "
      "largest class makes up {:.4f}",
      facts.auc, facts.auc_low, facts.auc_high, facts.log_loss, facts.label_entropy, facts.main,
      facts.majority);
  verdict.confidence =
      is_worse_than_shares || facts.auc_high < threshold + options.chance_margin ? 0.95 : 0.5;
  return true;
}

bool is_constant(const TaskSpace& task, const TaskFacts& facts, const DiagnosisOptions& options,
                 Verdict& verdict) {
  const bool has_classes = task.kind == "multiclass";
  const double ratio =
      has_classes ? facts.probability_deviation : facts.prediction_deviation / facts.label_deviation;
  if (!(ratio < options.constant)) return false;
  verdict = failure(task.name, "constant");
  verdict.evidence["threshold"] = options.constant;
  if (has_classes) {
    verdict.evidence["probability_deviation_over_labels"] = ratio;
    verdict.text = fmt::format(
        "the probabilities of its classes are the same on every row: they vary {:.2g} "
        "times as much as the labels",
        ratio);
    return true;
  }
  verdict.evidence["prediction_deviation"] = facts.prediction_deviation;
  verdict.evidence["label_deviation"] = facts.label_deviation;
  verdict.text = fmt::format("its prediction is {:.4g} on every row, while labels vary (deviation {:.4g})",
                             facts.prediction_mean, facts.label_deviation);
  return true;
}

bool is_off_scale(const TaskSpace& task, const TaskFacts& facts, const DiagnosisOptions& options,
                  Verdict& verdict) {
  // Class weights move predictions on purpose.
  if (!task.class_weights.empty()) return false;
  const bool is_regression = task.kind == "regression", has_classes = task.kind == "multiclass";
  const double mean = has_classes ? facts.majority_probability : facts.prediction_mean;
  const double rate = has_classes ? facts.majority : facts.label_mean;
  const double ratio = is_regression ? facts.prediction_deviation / facts.label_deviation : mean / rate;
  // A weak regression rightly predicts less spread than there is.
  const bool is_off = ratio > options.wrong_scale || (!is_regression && ratio < 1 / options.wrong_scale);
  if (!is_off) return false;
  verdict = failure(task.name, "scale");
  verdict.evidence[is_regression ? "deviation_over_labels" : "mean_over_rate"] = ratio;
  verdict.evidence["threshold"] = options.wrong_scale;
  verdict.text = is_regression
                     ? fmt::format("predictions spread {:.3g} times as far as labels", ratio)
                     : fmt::format("{} average {:.4g}, labels {:.4g}: {:.3g} times",
                                   has_classes ? "probabilities of the largest class" : "predictions", mean,
                                   rate, ratio);
  verdict.confidence = 0.9;
  return true;
}

}  // namespace

void find_conflict(const Observed& seen, const Background& background, std::vector<Verdict>& verdicts) {
  for (size_t pair = 0; pair < seen.cosines.size(); ++pair) {
    const double cosine = seen.cosines[pair], error = seen.cosine_errors[pair];
    if (!(cosine < background.options.conflict)) continue;
    // A part of the rows may have a single batch; all of them together need an error to go by.
    const bool is_sure = std::isnan(error)
                             ? seen.is_part
                             : cosine + student_t_quantile(0.95, seen.cosine_batches[pair] - 1) * error < 0;
    if (!is_sure) continue;
    const auto [a, b] = background.pairs[pair];
    const std::string &first = background.space.tasks[a].name, &second = background.space.tasks[b].name;
    Verdict verdict{"task_conflict", first + " and " + second, "", "", {first, second}, {}, {}, 1};
    verdict.evidence = {{"cosine", cosine}, {"threshold", background.options.conflict}};
    verdict.evidence["standard_error"] = std::isnan(error) ? Json() : Json(error);
    verdict.text =
        fmt::format("their gradients over shared parameters point apart: mean cosine {:.2f}", cosine);
    verdicts.push_back(std::move(verdict));
  }
}

void find_silent_failure(const Background& background, std::vector<Verdict>& verdicts) {
  for (size_t task = 0; task < background.tasks.size(); ++task) {
    const TaskFacts& facts = background.tasks[task];
    if (facts.informative < background.options.enough_labels) continue;
    const TaskSpace& of_task = background.space.tasks[task];
    const bool has_classes = of_task.kind == "multiclass";
    // Of a single class, or without any weight, there is nothing to tell.
    if (has_classes && !(facts.majority > 0 && facts.majority < 1)) continue;
    Verdict verdict;
    // Of classes, predictions far off the rates are told before what they cost.
    const auto rules = has_classes ? std::array{is_constant, is_off_scale, is_chance_of_classes}
                                   : std::array{is_constant, is_chance, is_off_scale};
    if (std::none_of(rules.begin(), rules.end(),
                     [&](const auto& fires) { return fires(of_task, facts, background.options, verdict); }))
      continue;
    name_causes(background, verdict);
    verdicts.push_back(std::move(verdict));
  }
}

}  // namespace gatewise

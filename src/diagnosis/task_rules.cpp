// The rules about tasks: conflict and silent failure.
#include <fmt/ranges.h>

#include <cmath>

#include "diagnosis/rules.h"
#include "diagnosis/sharing.h"

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
  const double chance = task.kind == "binary" ? 0.5 : task.kind == "multiclass" ? facts.majority : 0;
  const double margin = task.kind == "multiclass" ? 0 : options.chance_margin;
  if (!(facts.main < chance + margin)) return false;
  verdict = failure(task.name, "chance");
  verdict.evidence[metric] = facts.main;
  verdict.evidence["low"] = facts.low;
  verdict.evidence["high"] = facts.high;
  verdict.evidence["threshold"] = chance + margin;
  verdict.evidence["labels"] = facts.informative;
  verdict.text = fmt::format(
      "{} {:.4f} (95 % interval {:.4f} to {:.4f}) is no better than guessing, with {} "
      "informative labels",
      metric, facts.main, facts.low, facts.high, facts.informative);
  verdict.confidence = facts.high < chance + 2 * margin + 1e-9 ? 0.95 : 0.5;
  return true;
}

bool is_constant(const TaskSpace& task, const TaskFacts& facts, const DiagnosisOptions& options,
                 Verdict& verdict) {
  if (task.kind == "multiclass") return false;
  if (!(facts.prediction_deviation < options.constant * facts.label_deviation)) return false;
  verdict = failure(task.name, "constant");
  verdict.evidence["prediction_deviation"] = facts.prediction_deviation;
  verdict.evidence["label_deviation"] = facts.label_deviation;
  verdict.evidence["threshold"] = options.constant;
  verdict.text = fmt::format("its prediction is {:.4g} on every row, while labels vary (deviation {:.4g})",
                             facts.prediction_mean, facts.label_deviation);
  return true;
}

bool is_off_scale(const TaskSpace& task, const TaskFacts& facts, const DiagnosisOptions& options,
                  Verdict& verdict) {
  // Class weights move predictions on purpose.
  if (task.kind == "multiclass" || !task.class_weights.empty()) return false;
  const bool is_binary = task.kind == "binary";
  const double ratio = is_binary ? facts.prediction_mean / facts.label_mean
                                 : facts.prediction_deviation / facts.label_deviation;
  // A weak regression rightly predicts less spread than there is.
  const bool is_off = ratio > options.wrong_scale || (is_binary && ratio < 1 / options.wrong_scale);
  if (!is_off) return false;
  verdict = failure(task.name, "scale");
  verdict.evidence[is_binary ? "mean_over_rate" : "deviation_over_labels"] = ratio;
  verdict.evidence["threshold"] = options.wrong_scale;
  verdict.text = is_binary ? fmt::format("predictions average {:.4g}, labels {:.4g}: {:.3g} times",
                                         facts.prediction_mean, facts.label_mean, ratio)
                           : fmt::format("predictions spread {:.3g} times as far as labels", ratio);
  verdict.confidence = 0.9;
  return true;
}

}  // namespace

void find_conflict(const Observed& seen, const Background& background, std::vector<Verdict>& verdicts) {
  for (size_t pair = 0; pair < seen.cosines.size(); ++pair) {
    const double cosine = seen.cosines[pair], error = seen.cosine_errors[pair];
    if (!(cosine < background.options.conflict)) continue;
    // One batch alone has no error to go by.
    if (!std::isnan(error) && !(cosine + 1.96 * error < 0)) continue;
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
    Verdict verdict;
    if (!is_constant(of_task, facts, background.options, verdict) &&
        !is_chance(of_task, facts, background.options, verdict) &&
        !is_off_scale(of_task, facts, background.options, verdict)) {
      continue;
    }
    name_causes(background, verdict);
    verdicts.push_back(std::move(verdict));
  }
}

}  // namespace gatewise

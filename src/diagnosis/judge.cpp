#include "diagnosis/judge.h"

#include <algorithm>
#include <cmath>

#include "diagnosis/rules.h"
#include "diagnosis/sharing.h"

namespace gatewise {
namespace {

void add_gradient_shares(const std::vector<const BatchGradients*>& batches, Observed& seen) {
  const size_t experts = batches[0]->norms.size();
  for (size_t expert = 0; expert < experts; ++expert) {
    std::vector<double> sums(batches[0]->norms[expert].size(), 0);
    double total = 0;
    for (const BatchGradients* batch : batches) {
      for (size_t task = 0; task < sums.size(); ++task) {
        sums[task] += batch->norms[expert][task];
        total += batch->norms[expert][task];
      }
    }
    if (!(total > 0)) sums.clear();
    for (double& sum : sums) sum /= total;
    seen.gradient_shares.push_back(std::move(sums));
  }
}

void add_cosines(const std::vector<const BatchGradients*>& batches, size_t pairs, Observed& seen) {
  for (size_t pair = 0; pair < pairs; ++pair) {
    double count = 0, sum = 0, squares = 0;
    for (const BatchGradients* batch : batches) {
      const double cosine = batch->cosines[pair];
      if (std::isnan(cosine)) continue;
      count += 1;
      sum += cosine;
      squares += cosine * cosine;
    }
    const double mean = count > 0 ? sum / count : NAN;
    const double variance = count > 1 ? std::max(0.0, squares / count - mean * mean) / (count - 1) : NAN;
    seen.cosines.push_back(mean);
    seen.cosine_errors.push_back(std::sqrt(variance));
    seen.cosine_batches.push_back(count);
  }
}

// Of the row in the metrics; 0 leaves it out, as does a missing label.
double weight_of(const MetricInput& input, int64_t row) {
  if (std::isnan(input.labels[row])) return 0;
  return input.weights.empty() ? 1.0 : input.weights[row];
}

void add_moments(const MetricInput& input, const std::string& kind, TaskFacts& facts) {
  const auto each_label = [&](const auto& use) {
    for (int64_t row = 0; row < input.rows; ++row) {
      const double weight = weight_of(input, row);
      if (weight > 0) use(weight, input.labels[row], input.predictions[row * input.classes]);
    }
  };
  double total = 0, label = 0, label_squares = 0, prediction = 0, prediction_squares = 0;
  int64_t ones = 0;
  each_label([&](double weight, double y, double p) {
    ++facts.labels;
    ones += y > 0.5 ? 1 : 0;
    total += weight;
    label += weight * y;
    prediction += weight * p;
  });
  facts.informative = kind == "binary" ? std::min(ones, facts.labels - ones) : facts.labels;
  if (!(total > 0)) return;
  facts.label_mean = label / total;
  facts.prediction_mean = prediction / total;
  // Around the means: a spread far smaller than they are would vanish in a difference of squares.
  each_label([&](double weight, double y, double p) {
    label_squares += weight * (y - facts.label_mean) * (y - facts.label_mean);
    prediction_squares += weight * (p - facts.prediction_mean) * (p - facts.prediction_mean);
  });
  facts.label_deviation = std::sqrt(label_squares / total);
  facts.prediction_deviation = std::sqrt(prediction_squares / total);
}

// Class by class: how often it is the label, and what its probability does.
void add_classes(const MetricInput& input, TaskFacts& facts) {
  for (int64_t column = 0; column < input.classes; ++column) {
    double weight = 0, labels = 0, sum = 0, squares = 0;
    for (int64_t row = 0; row < input.rows; ++row) {
      const double w = weight_of(input, row);
      if (!(w > 0)) continue;
      const double p = input.predictions[row * input.classes + column];
      weight += w;
      labels += input.labels[row] == static_cast<double>(column) ? w : 0;
      sum += w * p;
      squares += w * p * p;
    }
    if (!(weight > 0)) return;
    const double share = labels / weight, mean = sum / weight;
    if (!(share > 0)) continue;
    facts.label_entropy -= share * std::log(share);
    const double of_label = std::sqrt(share * (1 - share));
    const double of_probability = std::sqrt(std::max(0.0, squares / weight - mean * mean));
    if (of_label > 0)
      facts.probability_deviation = std::max(facts.probability_deviation, of_probability / of_label);
    if (share <= facts.majority) continue;
    facts.majority = share;
    facts.majority_probability = mean;
  }
}

Interval interval_of(const Metric& metric, const MetricInput& input, const DiagnosisOptions& options) {
  return bootstrap(metric, input, options.resamples, 0.95, static_cast<uint64_t>(options.seed));
}

// Whether a part of the rows could have shown the verdict: gradients need a batch, gates and experts rows.
bool can_tell(const Verdict& verdict, const Observed& part, const Background& background) {
  if (verdict.kind == "task_conflict") {
    for (size_t pair = 0; pair < part.cosines.size(); ++pair) {
      const auto [a, b] = background.pairs[pair];
      if (verdict.tasks == std::vector{background.space.tasks[a].name, background.space.tasks[b].name})
        return !std::isnan(part.cosines[pair]);
    }
    return false;
  }
  size_t place = 0;
  for (size_t index = 0; index < background.levels.size(); ++index) {
    const WatchedLevel& level = background.levels[index];
    const bool is_here = level.name == verdict.level;
    for (size_t gate = 0; gate < level.gates.size(); ++gate) {
      if (is_here && level.gates[gate].name == verdict.where && part.levels[index].gates[gate].rows == 0)
        return false;
    }
    for (size_t expert = 0; expert < level.experts.size(); ++expert, ++place) {
      if (!is_here || level.experts[expert].path != verdict.expert) continue;
      if (verdict.kind == "degradation")
        return place < part.gradient_shares.size() && !part.gradient_shares[place].empty();
      if (verdict.kind == "collapse") return part.levels[index].experts[expert].rows > 0;
    }
  }
  return true;
}

// A silent failure is as sure as its metric's interval says; the rest as often as it shows in those parts of
// the rows that can tell.
double confidence_of(const Verdict& verdict, const std::vector<Observed>& parts,
                     const std::vector<std::vector<Verdict>>& of_parts, const Background& background) {
  if (verdict.kind == "silent_failure") return verdict.confidence;
  double times = 0, of = 0;
  for (size_t part = 0; part < parts.size(); ++part) {
    if (!can_tell(verdict, parts[part], background)) continue;
    of += 1;
    times += std::any_of(of_parts[part].begin(), of_parts[part].end(), [&](const Verdict& other) {
      return other.kind == verdict.kind && other.where == verdict.where && other.tasks == verdict.tasks;
    });
  }
  return of > 0 ? times / of : verdict.confidence;
}

}  // namespace

std::vector<TaskFacts> task_facts(const FeatureSpace& space, const EncodedData& data,
                                  const std::vector<ValueList>& predictions,
                                  const DiagnosisOptions& options) {
  std::vector<TaskFacts> facts;
  for (size_t task = 0; task < space.tasks.size(); ++task) {
    const JudgedTask judged(space, task, data, predictions);
    TaskFacts& of_task = facts.emplace_back();
    add_moments(judged.input(), space.tasks[task].kind, of_task);
    const auto metric = make_metric(main_metric(space.tasks[task].kind));
    of_task.main = metric->evaluate(judged.input()).value.value_or(NAN);
    const Interval interval = interval_of(*metric, judged.input(), options);
    of_task.low = interval.low.value_or(NAN);
    of_task.high = interval.high.value_or(NAN);
    if (space.tasks[task].kind != "multiclass") continue;
    add_classes(judged.input(), of_task);
    of_task.log_loss = make_metric("log_loss")->evaluate(judged.input()).value.value_or(NAN);
    const auto auc = make_metric("auc");
    of_task.auc = auc->evaluate(judged.input()).value.value_or(NAN);
    const Interval of_auc = interval_of(*auc, judged.input(), options);
    of_task.auc_low = of_auc.low.value_or(NAN);
    of_task.auc_high = of_auc.high.value_or(NAN);
  }
  return facts;
}

double largest_rise(const TaskScores& changed, const TaskScores& intact) {
  double largest = NAN;
  for (size_t task = 0; task < intact.loss.size(); ++task) {
    const double rise = (changed.loss[task] - intact.loss[task]) / intact.loss[task];
    if (!std::isnan(rise) && !(rise <= largest)) largest = rise;
  }
  return largest;
}

Observed observe(const std::vector<WatchedLevel>& levels, const GradientStatistics& gradients, int64_t first,
                 int64_t rows, bool is_part) {
  Observed seen;
  seen.is_part = is_part;
  for (const WatchedLevel& level : levels) seen.levels.push_back(measure_level(level, first, rows, !is_part));
  std::vector<const BatchGradients*> batches;
  for (size_t i = 0; i < gradients.batches.size(); ++i) {
    const int64_t begin = static_cast<int64_t>(i) * gradients.batch_rows;
    if (begin >= first && begin < first + rows) batches.push_back(&gradients.batches[i]);
  }
  if (batches.empty()) return seen;
  add_gradient_shares(batches, seen);
  add_cosines(batches, gradients.pairs.size(), seen);
  return seen;
}

std::vector<Verdict> apply_rules(const Observed& observation, const Background& background) {
  std::vector<Verdict> verdicts;
  find_silent_failure(background, verdicts);
  find_collapse(observation, background, verdicts);
  find_degradation(observation, background, verdicts);
  find_underfitting(observation, background, verdicts);
  find_polarisation(observation, background, verdicts);
  find_unused(observation, background, verdicts);
  find_conflict(observation, background, verdicts);
  return verdicts;
}

std::vector<Verdict> judge(const Observed& whole, const std::vector<Observed>& blocks,
                           const Background& background) {
  std::vector<std::vector<Verdict>> of_blocks;
  for (const Observed& block : blocks) of_blocks.push_back(apply_rules(block, background));
  std::vector<Verdict> verdicts = apply_rules(whole, background);
  for (Verdict& verdict : verdicts)
    verdict.confidence = confidence_of(verdict, blocks, of_blocks, background);
  return verdicts;
}

}  // namespace gatewise

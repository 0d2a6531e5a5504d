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
  }
}

void add_moments(const MetricInput& input, const std::string& kind, TaskFacts& facts) {
  double label = 0, label_squares = 0, prediction = 0, prediction_squares = 0;
  int64_t ones = 0;
  std::map<float, int64_t> classes;
  for (int64_t row = 0; row < input.rows; ++row) {
    if (std::isnan(input.labels[row])) continue;
    ++facts.labels;
    ones += input.labels[row] > 0.5F ? 1 : 0;
    if (kind == "multiclass") ++classes[input.labels[row]];
    const double y = input.labels[row], p = input.predictions[row * input.classes];
    label += y;
    label_squares += y * y;
    prediction += p;
    prediction_squares += p * p;
  }
  const double count = std::max(1.0, static_cast<double>(facts.labels));
  facts.informative = kind == "binary" ? std::min(ones, facts.labels - ones) : facts.labels;
  facts.label_mean = label / count;
  facts.prediction_mean = prediction / count;
  facts.label_deviation =
      std::sqrt(std::max(0.0, label_squares / count - facts.label_mean * facts.label_mean));
  facts.prediction_deviation =
      std::sqrt(std::max(0.0, prediction_squares / count - facts.prediction_mean * facts.prediction_mean));
  for (const auto& [name, members] : classes)
    facts.majority = std::max(facts.majority, static_cast<double>(members) / count);
}

// A silent failure is as sure as its metric's interval says; the rest as often as it shows in parts of the
// rows.
double confidence_of(const Verdict& verdict, const std::vector<std::vector<Verdict>>& blocks) {
  if (verdict.kind == "silent_failure" || blocks.empty()) return verdict.confidence;
  double times = 0;
  for (const std::vector<Verdict>& found : blocks) {
    times += std::any_of(found.begin(), found.end(), [&](const Verdict& other) {
      return other.kind == verdict.kind && other.where == verdict.where && other.tasks == verdict.tasks;
    });
  }
  return times / static_cast<double>(blocks.size());
}

}  // namespace

std::vector<TaskFacts> task_facts(const FeatureSpace& space, const EncodedData& data,
                                  const std::vector<std::vector<float>>& predictions,
                                  const DiagnosisOptions& options) {
  std::vector<TaskFacts> facts;
  for (size_t task = 0; task < space.tasks.size(); ++task) {
    const JudgedTask judged(space, task, data, predictions);
    TaskFacts& of_task = facts.emplace_back();
    add_moments(judged.input(), space.tasks[task].kind, of_task);
    const auto metric = make_metric(main_metric(space.tasks[task].kind));
    of_task.main = metric->evaluate(judged.input()).value.value_or(NAN);
    const Interval interval =
        bootstrap(*metric, judged.input(), options.resamples, 0.95, static_cast<uint64_t>(options.seed));
    of_task.low = interval.low.value_or(NAN);
    of_task.high = interval.high.value_or(NAN);
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
                 int64_t rows, bool in_detail) {
  Observed seen;
  for (const WatchedLevel& level : levels)
    seen.levels.push_back(measure_level(level, first, rows, in_detail));
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
  for (Verdict& verdict : verdicts) verdict.confidence = confidence_of(verdict, of_blocks);
  return verdicts;
}

}  // namespace gatewise

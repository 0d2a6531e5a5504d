// From what was measured to verdicts: pure rules over numbers.
#pragma once

#include "diagnosis/effects.h"
#include "diagnosis/gradients.h"
#include "diagnosis/options.h"
#include "diagnosis/statistics.h"

namespace gatewise {

// What there is to know of a task apart from experts and gates, on its labels of a weight above 0. Moments
// and shares are weighed as metrics weigh rows.
struct TaskFacts {
  int64_t labels = 0;       // how many
  int64_t informative = 0;  // of a binary task those of the rarer class, otherwise `labels`
  double label_mean = 0, label_deviation = 0;
  double prediction_mean = 0, prediction_deviation = 0;
  double main = 0;           // auc, accuracy or r2; NaN: undefined
  double low = 0, high = 0;  // its 95 % interval; NaN: none
  // Multi-class, where the moments above mean nothing: mean AUC of each class against the rest with its
  // interval; loss of the shares of the classes as a prediction for every row (nats); and how far predicted
  // probabilities vary, the largest deviation of any class's over that of its label.
  double auc = 0, auc_low = 0, auc_high = 0;
  double log_loss = 0, label_entropy = 0, majority = 0;
  double probability_deviation = 0;
  // The most frequent class: its mean probability.
  double majority_probability = 0;
};
std::vector<TaskFacts> task_facts(const FeatureSpace& space, const EncodedData& data,
                                  const std::vector<ValueList>& predictions, const DiagnosisOptions& options);

// What the rules read, over all rows or over a block of them.
struct Observed {
  std::vector<LevelStatistics> levels;
  // [expert of all levels][task]: share of the gradient that the expert's parameters get; empty: not known.
  std::vector<std::vector<double>> gradient_shares;
  // By pair of tasks: mean and its standard error (NaN: none), and of how many batches.
  std::vector<double> cosines, cosine_errors, cosine_batches;
  bool is_part = false;  // a block
};
// `first`, `rows`: of the watched rows; batches whose rows begin there are theirs. A part is measured in less
// detail.
Observed observe(const std::vector<WatchedLevel>& levels, const GradientStatistics& gradients, int64_t first,
                 int64_t rows, bool is_part);

// What is the same for all blocks.
struct Background {
  const FeatureSpace& space;
  const std::vector<WatchedLevel>& levels;
  std::vector<std::pair<size_t, size_t>> pairs;
  const Effects& effects;
  const std::vector<TaskFacts>& tasks;
  std::vector<std::string> wild_columns;
  const DiagnosisOptions& options;
};

struct Verdict {
  std::string kind;    // collapse, degradation, underfitting, polarisation, unused_expert, task_conflict,
                       // silent_failure
  std::string where;   // expert, gate, task, or pair of tasks
  std::string level;   // empty where it is about tasks
  std::string expert;  // path; empty where it is about none
  std::vector<std::string> tasks;
  Json evidence;  // numbers, and the threshold each was held against
  std::string text;
  double confidence = 1;  // 0 to 1
};

// The rules, on all rows; the confidence is left to judge(). Names of the same fault agree between blocks.
std::vector<Verdict> apply_rules(const Observed& observation, const Background& background);

// Verdicts on all rows. The confidence of a verdict about experts, gates or conflict is the share of
// `blocks` in which the same rule fires too, of those that can tell (with a batch of gradients, or rows of
// the gate or expert); of a silent failure how far the interval of its metric excludes a healthy value.
std::vector<Verdict> judge(const Observed& whole, const std::vector<Observed>& blocks,
                           const Background& background);

// The largest relative rise of any task's loss against the intact model's; NaN where none is defined.
double largest_rise(const TaskScores& changed, const TaskScores& intact);

}  // namespace gatewise

// Regression tasks of controlled relatedness: the generator of the MMoE paper (Ma et al. 2018, section 3.2).
//
//   x ~ N(0, I),  z_t = <w_t, x>,  y_t = z_t + sum over j of sin(alpha_j z_t + beta_j) + noise
//
// with |w_t| = scale and cos(w_s, w_t) = correlation for s != t. "Task correlation" in the paper means that
// cosine, not the correlation of the labels, which label_correlation() gives in closed form.
#pragma once

#include <memory>

#include "table/synthetic.h"

namespace gatewise {

// The constants that the paper leaves open.
struct SineConstants {
  double scale = 0;  // c, the length of every w_t
  std::vector<double> alpha, beta;
};

// "calibrated", "calibrated_five", "keras", "ple" or "gsyn"; only "keras" and "ple" draw from `seed`.
// Throws Error(Command) for another name.
SineConstants sine_constants(const std::string& preset, uint64_t seed);

// Moments of a label before standardising, over x and noise.
double label_mean(const SineConstants& constants);
double label_variance(const SineConstants& constants, double noise_variance);
// Pearson's correlation of the labels of two tasks whose weights have the cosine `correlation`.
double label_correlation(const SineConstants& constants, double correlation, double noise_variance);

struct RelatedTasksOptions {
  double correlation = 0.5;
  int64_t dimension = 100;
  int64_t tasks = 2;
  double noise_variance = 0.01;
  std::string preset = "calibrated";
  bool standardise = true;
  int64_t seed = 0;
  void declare(OptionSet& set);
};

// Features x0, x1, ...; labels y1, y2, ....
// truth(): "kind", "options", "scale", "alpha", "beta", "weights" [tasks][dimension], "label_mean" and
// "label_variance" (before standardising), "label_correlation" (of any two tasks), "noise_floor" (the least
// possible mean squared error of a task, in the units of the labels as given out).
class RelatedTasks final : public SyntheticTable {
 public:
  using Options = RelatedTasksOptions;

  // Throws Error(Command) for more tasks than dimensions, or a correlation that so many tasks cannot share.
  explicit RelatedTasks(const Options& options);

  const std::vector<std::string>& features() const override { return features_; }
  const std::vector<SyntheticLabel>& labels() const override { return labels_; }
  void fill(uint64_t step, int64_t first_row, int64_t rows, float* x, float* label_values) const override;
  Json truth() const override;

 private:
  Options options_;
  SineConstants constants_;
  std::vector<float> rate_, phase_;  // alpha and beta as floats
  std::vector<float> weights_;       // [tasks, dimension]
  std::vector<std::string> features_;
  std::vector<SyntheticLabel> labels_;
  double mean_ = 0, inverse_sd_ = 1;  // what labels are standardised with
};

}  // namespace gatewise

// A chain of events as exposure, click, purchase: a step can only happen where all steps before it did, so
// that later steps are seen on a selected part of the rows (the setting of entire space models, Ma et al.
// 2018, "Entire Space Multi-Task Model").
//
//   P(step s | steps before it, row) = sigmoid(bias_s + signal * z_s + hidden * intent)
//   z_s    = sqrt(shared) * common + sqrt(1 - shared) * own_s
//   common = (<user's taste, item's topic> / sqrt(2) + <v, x>) / sqrt(2),  own_s = (user_s + item_s + <w_s,
//   x>) / sqrt(3)
//
// with v and w_s orthonormal, so that the z_s have variance 1 and the correlation `shared` over all rows.
// `intent` ~ N(0, 1) belongs to the row and is in no column: rows that reached a step had more of it. What is
// learnt on those rows alone is therefore too high on all rows, and `shared` makes them unlike the others in
// the columns too.
#pragma once

#include "table/population.h"
#include "table/synthetic.h"

namespace gatewise {

struct ConversionChainOptions {
  int64_t steps = 2;
  std::vector<double> rates{};
  std::string later_labels = "zero";
  double shared = 0.5;
  double hidden = 1;
  double signal = 1.5;
  int64_t users = 5000;
  int64_t items = 2000;
  double user_skew = 0.6;
  double item_skew = 1;
  int64_t dimension = 8;
  int64_t seed = 0;
  void declare(OptionSet& set);
};

// Ids user, item; features x0, x1, ...; binary labels click, [cart, checkout, payment,] purchase: 1 where the
// step and all before it happened. Where the step before did not happen the label is 0, or missing.
// truth(): "kind", "options", "sample_rows" (fixed rows of their own that all figures were estimated on) and
// "steps": name -> {
//   "rate": share of all rows with label 1,
//   "conditional_on_all_rows": mean over all rows of the step's true probability given the steps before it,
//   "conditional_on_reached_rows": the same mean over the rows that reached the step,
//   "learnt_on_reached_rows": mean over all rows of what the columns tell of the step on rows that reached
//     it, the aim of a model trained on those alone: its difference to conditional_on_all_rows is the bias,
//   "best_auc": of the label on all rows, from the columns; no model does better,
//   "best_auc_on_reached_rows": the same where only rows that reached the step are ranked,
//   "bias": bias_s}; and "logit_correlation": name -> name -> correlation of the steps' signals over all
//   rows.
class ConversionChain final : public SyntheticTable {
 public:
  using Options = ConversionChainOptions;

  // Throws Error(Command) for rates that do not fit the steps, or fewer than steps + 1 dimensions.
  explicit ConversionChain(const Options& options);

  const std::vector<SyntheticId>& ids() const override { return ids_; }
  const std::vector<std::string>& features() const override { return features_; }
  const std::vector<SyntheticLabel>& labels() const override { return labels_; }
  void fill(uint64_t step, int64_t first_row, int64_t rows, float* x, float* label_values) const override;
  void fill_ids(uint64_t step, int64_t first_row, int64_t rows, uint64_t* values) const override;
  Json truth() const override;

  // The true logit of each step given the steps before it, intent included: [rows, steps].
  std::vector<double> logits(uint64_t step, int64_t first_row, int64_t rows) const;

 private:
  struct Row;

  Row draw(const RandomStream& stream, uint64_t step, int64_t row) const;
  std::vector<double> signals_of(const Row& row) const;  // by step: signal * z_s

  Options options_;
  Population users_, items_;
  RandomStream rows_, label_draws_;
  std::vector<double> biases_;
  std::vector<std::vector<double>> directions_;  // v, then w_s
  std::vector<SyntheticId> ids_;
  std::vector<std::string> features_;
  std::vector<SyntheticLabel> labels_;
};

}  // namespace gatewise

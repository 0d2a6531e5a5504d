// A log as of a short-video service: a user is shown an item at some place of a list, and up to a dozen
// behaviours follow, from every second row to one row in a thousand, some at odds with each other.
//
// The row's user and item fix eight axes: interest = <user's taste, item's topic> / sqrt(factors); the item's
// quality, lure (a promising cover) and length; the user's patience, activity and sociability; and the
// position in the list. Behaviour b happens with probability sigmoid(logit_b), independently given the row:
//
//   logit_b = bias_b + signal * <weights_b, axes> - position_bias * exposure_b * position
//
// The regression label watch_time, where it is asked for, has a logit of the same form, scaled to the
// variance `watch_time` and to mean 0, and is that plus normal noise of variance 1 - watch_time.
//
// Over rows every axis but position has mean 0 and variance 1, and no two are correlated. Weights on lure are
// multiplied by `conflict`, then each row of weights is scaled to length 1. Lure brings
// clicks and early skips but no long views (clickbait); what a fast skip needs, a full watch lacks.
#pragma once

#include "table/population.h"
#include "table/synthetic.h"

namespace gatewise {

struct BehaviourLogOptions {
  int64_t users = 5000;
  int64_t items = 2000;
  double user_skew = 0.6;
  double item_skew = 1;
  int64_t factors = 2;
  int64_t positions = 10;
  double position_bias = 1;
  double exposure_bias = 0.3;
  double conflict = 1;
  double signal = 1.5;
  std::vector<std::string> behaviours{};
  std::vector<double> rates{};
  double watch_time = 0;
  int64_t seed = 0;
  void declare(OptionSet& set);
};

// Ids user, item; features position (0 the first place, 1 the last) and length (standardised); one binary
// label for each behaviour, then watch_time if its option is above 0.
// truth(): "kind", "options"; "behaviours": name -> {"group", "rate", "best_auc", "bias", "exposure",
// "weights" by axis}, watch_time with "best_r2" and "scale" in place of "rate" and "best_auc"; "groups":
// group -> names, as [model] groups of home takes them; "logit_correlation": name -> name -> Pearson's
// correlation of the true logits over rows; "conflicts": pairs whose correlation is below -0.2;
// "sample_rows": how many fixed rows (of their own, never given out) the rates, AUCs and correlations were
// estimated on. best_auc is what the true probabilities reach: no model does better.
class BehaviourLog final : public SyntheticTable {
 public:
  using Options = BehaviourLogOptions;

  // Throws Error(Command) for an unknown or repeated behaviour, or rates that do not fit the behaviours.
  explicit BehaviourLog(const Options& options);

  const std::vector<SyntheticId>& ids() const override { return ids_; }
  const std::vector<std::string>& features() const override { return features_; }
  const std::vector<SyntheticLabel>& labels() const override { return labels_; }
  void fill(uint64_t step, int64_t first_row, int64_t rows, float* x, float* label_values) const override;
  void fill_ids(uint64_t step, int64_t first_row, int64_t rows, uint64_t* values) const override;
  Json truth() const override;

  // The true logits of the same rows, the expected value of watch_time: [rows, labels].
  std::vector<double> logits(uint64_t step, int64_t first_row, int64_t rows) const;

 private:
  struct Behaviour {
    std::string name, group;
    double exposure = 0;
    std::vector<double> weights;  // by axis, of length 1
    double scale = 1, bias = 0;   // logit = bias + scale * score
  };
  struct Row;

  void choose_behaviours();
  void add_label(size_t known);  // an index of the known labels
  void calibrate(const std::vector<double>& rates);
  Row draw(const RandomStream& stream, uint64_t step, int64_t row) const;
  double score(const Row& row, const Behaviour& behaviour) const;  // the logit before scale and bias
  double logit(const Row& row, const Behaviour& behaviour) const;
  // [behaviours][rows] scores of fixed rows that no step gives out.
  std::vector<std::vector<double>> sample_scores(int64_t rows) const;
  Json truth_of(size_t label, const std::vector<double>& scores) const;

  Options options_;
  Population users_, items_;
  RandomStream rows_, label_draws_;
  std::vector<Behaviour> behaviours_;
  std::vector<SyntheticId> ids_;
  std::vector<std::string> features_{"position", "length"};
  std::vector<SyntheticLabel> labels_;
};

}  // namespace gatewise

#include "diagnosis/options.h"

namespace gatewise {

void DiagnosisOptions::declare(OptionSet& set) {
  set.add("rows", &rows, "rows that are looked at, evenly spread over those given").range(20);
  set.add("resamples", &resamples, "bootstrap resamples for the intervals").range(2, 100000);
  set.add("seed", &seed, "seed of resampling and of permuted columns").range(0);
  set.add("training_seeds", &training_seeds,
          "models of every task alone that are trained to compare with, and one fewer of the model itself; 1 "
          "leaves the noise of training unknown")
      .range(1, 100);
  set.add("shuffles", &shuffles, "times that each column is handed around among the rows").range(1, 1000);
  set.add("most_effects", &most_effects,
          "experts, or gates, up to which each is taken out to see what it is worth")
      .range(0);
  set.add("columns", &columns, "columns up to which their importance is measured").range(0);
  set.add("zero_share", &zero_share,
          "collapse: an expert of whose outputs more than this are 0, or saturated")
      .range(0, 1);
  set.add("scale_factor", &scale_factor,
          "collapse: an expert whose outputs are so many times larger or smaller than those of the level's "
          "median expert")
      .above(1);
  set.add("gradient_share", &gradient_share,
          "degradation: a task that gives more than this of a shared expert's gradient")
      .range(0, 1);
  set.add("rare_labels", &rare_labels, "underfitting: a task with less than this of the median task's labels")
      .range(0, 1);
  set.add("own_share", &own_share,
          "underfitting: that gives its own experts less than this of their uniform share of its gate")
      .range(0, 1);
  set.add("no_cost", &no_cost, "a loss that rises by less than this of itself is called the same").range(0);
  set.add("polarisation", &polarisation, "polarised gate: one that gives one expert more than this")
      .range(0, 1);
  set.add(
         "unused", &unused,
         "unused expert: one that every gate gives less than this of a uniform share, and that costs nothing")
      .range(0, 1);
  set.add("conflict", &conflict,
          "task conflict: two tasks whose gradients over what they share have a cosine below this")
      .range(-1, 1);
  set.add("chance_margin", &chance_margin,
          "silent failure: an AUC closer than this to 0.5 or below it, or an R² below this")
      .range(0, 0.5);
  set.add("enough_labels", &enough_labels,
          "silent failure: labels (of the rarer class) from which on a task is judged")
      .range(1);
  set.add("constant", &constant,
          "silent failure: predictions whose deviation is less than this of the labels'")
      .range(0, 1);
  set.add("wrong_scale", &wrong_scale,
          "silent failure: a mean (binary) or deviation (regression) of predictions so many times too large; "
          "means also so many times too small")
      .above(1);
  set.add("wild_number", &wild_number, "size of an encoded number that is named as a likely cause").above(0);
}

}  // namespace gatewise

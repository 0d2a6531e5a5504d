#include "configuration/tune_section.h"

namespace gatewise {

void TuneSection::declare(OptionSet& set) {
  set.add("trials", &trials, "configurations to try").range(1, 100000);
  set.add("starts", &starts,
          "of them, those spread evenly over the space before results are learnt from; 0: 4 and 2 for every "
          "searched option, at most 10")
      .range(0, 100000);
  set.add("seeds", &seeds, "runs of every trial, whose mean counts; from training.seed on").range(1, 1000);
  set.add("seed", &seed, "of the search").range(0);
  set.add("parallel", &parallel,
          "trials under way together, which are chosen without each other's results: the search depends on "
          "it, and on no number of threads; 0: one per core")
      .range(0, 1024);
  set.add("objective", &objective,
          "what to improve on the validation rows: a metric (the mean over all tasks), \"task.metric\", a "
          "task, or weights, as {\"income.auc\" = 2, \"marital.auc\" = 1}; empty: the usual metric of every "
          "task");
  set.add("constraints", &constraints,
          "what every trial has to satisfy, as [\"experts * units <= 2048\"]; names are paths of options, or "
          "the ends of them");
  set.add("halving", &halving,
          "ends trials early that are not among the best of their epoch, one in this many; 0: every trial is "
          "trained to its end")
      .range(0, 100);
  set.add("halving_epochs", &halving_epochs,
          "the first epoch after which a trial may end; the next ones are halving times as many each")
      .range(1);
}

}  // namespace gatewise

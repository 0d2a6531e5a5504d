// Configurations over seeds, side by side: what is run, and what follows from the results.
#pragma once

#include <string>
#include <vector>

#include "experiment/external.h"
#include "experiment/run.h"
#include "experiment/widths.h"

namespace gatewise {

// One configuration of a comparison.
struct Contestant {
  std::string name;
  std::string source;                     // the file it was read from
  Configuration configuration;            // its seeds are replaced by those of the comparison
  std::vector<Json> changed_widths = {};  // by solve_width()
  std::string why_unequal = {};           // set by equalise() where it did not come near the baseline's size
};

struct Comparison {
  std::vector<Contestant> contestants;  // at least one; names differ
  std::vector<ExternalPredictions> externals;
  std::string baseline;  // name of a contestant
  std::vector<int64_t> seeds;
  SeedScope scope = SeedScope::Everything;
  std::vector<std::string> metrics;  // to be compared; empty: as configured, or the first usual one of a task
  EvaluationOptions external_evaluation;  // set by prepare(): what is compared and nothing else

  // The baseline. Throws Error(Command) for an unknown name.
  const Contestant& reference() const;
  // Prepares the configurations: what is measured, no bootstrap of single runs, no output. Throws
  // Error(Command) when they are not judged on the same rows and labels, a name is given twice or unknown, or
  // a metric fits no task.
  void prepare();
  // Reads the external predictions and judges them once, by the first seed's rows, so that what is wrong with
  // them is found before anything is trained. Throws as ExternalPredictions does.
  void read_externals(SharedRows& rows);
  // Gives every contestant but the baseline as many parameters outside the embeddings as that has. Where more
  // than a twentieth is missing or left over, the contestant says why. Throws Error(Command) for an option
  // that no contestant has, and as solve_width().
  void equalise(SharedRows& rows, const std::vector<std::string>& width_options);
  // All seeds of all contestants, seed by seed.
  std::vector<Trial> trials() const;
  // Whether the rows of any part differ between seeds.
  bool rows_vary() const;
  // Whether the test rows do.
  bool test_rows_vary() const;
};

// The first usual metric of each kind of task, which is compared where none is chosen. That of an earlier
// kind fits no later one.
std::vector<std::string> first_usual_metrics();

// What `gatewise compare --json` prints (docs/experiments.md). `results` are those of trials(), null where a
// stop left one out; read_externals() has been called. Throws Error(Data) when nothing can be compared: no
// run succeeded, or no metric has a value.
Json compare_results(const Comparison& comparison, const std::vector<Json>& results, SharedRows& rows);

}  // namespace gatewise

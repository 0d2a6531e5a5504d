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
  std::string source;                // the file it was read from
  Configuration configuration;       // its seeds are replaced by those of the comparison
  std::vector<Json> changed_widths;  // by solve_width()
};

struct Comparison {
  std::vector<Contestant> contestants;  // at least one; names differ
  std::vector<ExternalPredictions> externals;
  std::string baseline;  // name of a contestant
  std::vector<int64_t> seeds;
  SeedScope scope = SeedScope::Everything;
  std::vector<std::string> metrics;  // to be compared; empty: as configured, or the first usual one of a task
  EvaluationOptions external_evaluation;  // set by prepare()

  // The baseline. Throws Error(Command) for an unknown name.
  const Contestant& reference() const;
  // Prepares the configurations: what is measured, no bootstrap of single runs, no output. Throws
  // Error(Command) when they are not judged on the same rows and labels, or a name is given twice or unknown.
  void prepare();
  // Gives every contestant but the baseline as many parameters outside the embeddings as that has.
  void equalise(SharedRows& rows, const std::vector<std::string>& width_options);
  // All seeds of all contestants, seed by seed.
  std::vector<Trial> trials() const;
  // Whether the test rows differ between seeds.
  bool rows_vary() const;
};

// What `gatewise compare --json` prints (docs/experiments.md). `results` are those of trials(), null where a
// stop left one out. Reads the external predictions.
Json compare_results(const Comparison& comparison, const std::vector<Json>& results, SharedRows& rows);

}  // namespace gatewise

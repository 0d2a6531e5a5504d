#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiment/halving.h"
#include "experiment/tuner.h"

namespace gatewise {

// One trial: a point, and what its runs gave, seed by seed.
struct Tuner::State {
  Point point;
  std::string proposed_by;
  Json configuration;
  std::vector<Json> results;  // null until the run has ended
  int64_t started = 0;        // runs
  int64_t known_runs = 0;     // found in the journal
  bool has_ended = false;
  bool was_cut = false;
  std::optional<double> value, first_value;  // over all seeds that were run; of the first one
  std::string error;
  CostCurve curve;  // of the first seed
};

}  // namespace gatewise

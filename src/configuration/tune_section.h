// [tune]: how `gatewise tune` searches. Every other verb leaves the table alone.
#pragma once

#include <string>
#include <vector>

#include "base/options.h"

namespace gatewise {

struct TuneSection {
  int64_t trials = 60;
  int64_t starts = 0;
  int64_t seeds = 1;
  int64_t seed = 1;
  int64_t parallel = 0;
  Json objective = "";
  std::vector<std::string> constraints;
  int64_t halving = 0;
  int64_t halving_epochs = 1;
  void declare(OptionSet& set);
};

}  // namespace gatewise

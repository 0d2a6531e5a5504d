// What a diagnosis looks at, and from where on it calls something a fault.
#pragma once

#include "base/options.h"

namespace gatewise {

struct DiagnosisOptions {
  int64_t rows = 20000;
  int64_t resamples = 200;
  int64_t seed = 1;
  int64_t training_seeds = 3;
  int64_t shuffles = 5;
  int64_t most_effects = 256;
  int64_t columns = 256;
  double zero_share = 0.9;
  double scale_factor = 30;
  double gradient_share = 0.8;
  double rare_labels = 0.1;
  double own_share = 0.5;
  double no_cost = 0.001;
  double polarisation = 0.9;
  double unused = 0.1;
  double conflict = -0.2;
  double chance_margin = 0.02;
  int64_t enough_labels = 100;
  double constant = 0.001;
  double wrong_scale = 2;
  double wild_number = 50;
  void declare(OptionSet& set);
};

}  // namespace gatewise

// Options that were given and have no effect.
#pragma once

#include <string>
#include <vector>

#include "training/trainer.h"

namespace gatewise {

// A line for each option of [training.optimiser] and [training.schedule] that differs from its default though
// what the table chooses does not read it.
std::vector<std::string> find_idle_options(const TrainingOptions& options);

}  // namespace gatewise

// Errors of a run whose numbers have left what a float can hold.
#pragma once

#include <string>
#include <vector>

#include "engine/store.h"

namespace gatewise {

// When and with what a run diverged.
struct DivergedAt {
  int64_t step = 0, epoch = 0;  // steps count from 0 over the whole run, epochs from 1
  double rate = 0;              // learning rate of the step
  std::string checkpoint;       // what the run can go back to; empty: nothing
};

// Throws Error(Data) for a loss that is not finite because of `parts`, such as `task "a"`; none: their sum.
[[noreturn]] void report_diverged_loss(const std::vector<std::string>& parts, const DivergedAt& at);

// Throws Error(Data) when a weight is not finite.
void require_finite_weights(const Store<float>& store, const DivergedAt& at);

}  // namespace gatewise

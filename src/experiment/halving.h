// Successive halving (Jamieson and Talwalkar 2016) in the form that looks back: a trial goes on beyond an
// epoch when it is among the best of the earlier trials at that epoch (as Li et al. 2020, ASHA).
#pragma once

#include <cstdint>
#include <vector>

namespace gatewise {

// A trial that costs more than `largest_cost` after `epoch` epochs ends there.
struct Rung {
  int64_t epoch = 0;
  double largest_cost = 0;
};

// The lowest cost up to each epoch of one earlier trial; empty for one that failed at once.
using CostCurve = std::vector<double>;

// The rungs of a new trial: after first_epoch, factor * first_epoch, ... epochs, below `epochs`, the cost of
// the best ceil(n / factor) of the n earlier trials. A trial that ended before a rung counts with its last
// cost if it ended by itself, which `was_cut` tells, and not at all if it was cut. Rungs with fewer earlier
// trials than `factor` are left out.
std::vector<Rung> rungs_of(const std::vector<CostCurve>& earlier, const std::vector<bool>& was_cut,
                           int64_t factor, int64_t first_epoch, int64_t epochs);

}  // namespace gatewise

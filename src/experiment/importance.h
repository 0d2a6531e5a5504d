// How much each searched option matters for the result.
#pragma once

#include "experiment/searcher.h"

namespace gatewise {

// Shares of the variance over the whole space of the mean that a Gaussian process finds in the observations
// (on the scale of standard_values()): what the option explains alone, and together with others (the
// first-order and the total index of Sobol 1993; estimators of Saltelli et al. 2010, over quasi-random
// points).
struct Importance {
  double alone = 0, in_all = 0;
};

// As many observations as it takes for shares to mean anything: 2 for each dimension, and 3.
size_t fewest_observations(size_t dimensions);

// One per dimension; none when fewer than fewest_observations() succeeded or all are equal.
std::vector<Importance> importances(const SearchSpace& space, const std::vector<Observation>& observations,
                                    uint64_t seed);

}  // namespace gatewise

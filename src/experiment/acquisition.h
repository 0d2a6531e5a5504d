// Expected improvement, and the search for the place where it is largest.
#pragma once

#include "experiment/gaussian_process.h"

namespace gatewise {

// The logarithm of E[max(0, z + N(0, 1))] and its derivative, exact to about 1e-7 for every z: the
// expectation itself is 0 in double precision below -38 (Ament et al. 2023, "Unexpected improvements to
// expected improvement").
struct LogImprovement {
  double value = 0, slope = 0;
};
LogImprovement log_improvement(double z);

// The logarithm of how far below the smallest mean the function is expected to lie at `place`, averaged over
// the processes and their samples of the pending values. Writes the gradient if it is asked for.
double log_expected_improvement(const std::vector<GaussianProcess>& processes,
                                const std::vector<double>& place, std::vector<double>* gradient = nullptr);

// What a search for the largest improvement keeps to.
struct AcquisitionSearch {
  const SearchSpace* space = nullptr;
  std::function<bool(const Point&)> is_allowed;  // constraints hold, not tried before
  std::vector<std::vector<double>> promising;    // places around which to look closely
  uint64_t seed = 0;
};
// Empty when no allowed point was found. Candidates, half of them all over the space and half near the
// promising places, are judged first; from the best, and from the best with each choice, numbers climb by
// gradients, integers and choices by trying neighbours. Spaces of few points are searched whole.
std::optional<Point> maximise_improvement(const std::vector<GaussianProcess>& processes,
                                          const AcquisitionSearch& search);

// All points of a space without numbers, in order; space.count() says how many there are.
std::vector<Point> all_points(const SearchSpace& space);

}  // namespace gatewise

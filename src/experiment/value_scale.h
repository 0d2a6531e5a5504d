// Values of a search on the scale that a Gaussian process expects.
#pragma once

#include <vector>

namespace gatewise {

// Brings values to mean 0 and variance 1 after a power transformation (Yeo and Johnson 2000) that makes them
// as normal as it can: a few terrible values, such as diverged runs, would otherwise flatten all others. The
// order stays. A NaN, which stands for a failure, becomes the worst (largest) of the others; there must be at
// least one other.
std::vector<double> normal_values(const std::vector<double>& values);

}  // namespace gatewise

// Values of a search on the scale that a Gaussian process expects.
#pragma once

#include <vector>

namespace gatewise {

// Brings values to mean 0 and variance 1, after those that are worse (larger) than the median by more than 4
// times its distance from the best have been cut to that: a few terrible values, such as diverged runs, would
// otherwise flatten all others. Between good values distances stay as they are. A NaN, which stands for a
// failure, counts as the worst of the others after the cut; there must be at least one other.
std::vector<double> standard_values(const std::vector<double>& values);

}  // namespace gatewise

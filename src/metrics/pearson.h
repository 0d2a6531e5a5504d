#pragma once

#include <optional>
#include <span>

namespace gatewise {

// Pearson's correlation over the rows where both are present (not NaN); none if fewer than two rows are, or
// if either is constant over them. The spans have equal lengths. Sums in double.
std::optional<double> pearson(std::span<const float> a, std::span<const float> b);

}  // namespace gatewise

// Points that fill the unit cube more evenly than random ones.
#pragma once

#include <cstdint>
#include <vector>

namespace gatewise {

// Point `index` of the Halton sequence (Halton 1960) in `dimensions` dimensions, with nested scrambling of
// its digits (Owen 1995): a random permutation for every digit, drawn anew for every beginning of the number.
// A pure function of its arguments; every coordinate lies in [0, 1).
std::vector<double> quasi_random_point(uint64_t seed, uint64_t index, size_t dimensions);

}  // namespace gatewise

// Means over runs, and whether differences between them are more than noise.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "metrics/student_t.h"

namespace gatewise {

struct Summary {
  int64_t count = 0;
  double mean = 0;
  // From two values on: the standard deviation of single values (n - 1), and the interval of the mean by
  // Student's t.
  std::optional<double> deviation, low, high;
};
// Of at least one value.
Summary summarise(const std::vector<double>& values, double confidence = 0.95);

// The two-sided p of a paired t test that the mean of the differences is 0; nothing for fewer than two. Equal
// differences have no spread: p is 1 where they are 0, otherwise 0.
std::optional<double> paired_p(const std::vector<double>& differences);

// Each p corrected for the number of comparisons, by Holm's step-down rule (1979): the chance of calling any
// true null a difference stays below the level at which they are judged. Not below p, at most 1.
std::vector<double> holm(const std::vector<double>& p);

}  // namespace gatewise

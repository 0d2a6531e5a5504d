#include "experiment/value_scale.h"

#include <algorithm>
#include <cmath>

namespace gatewise {
namespace {

constexpr double cut_at = 4;  // distances of the median from the best, above the median

// The largest value that is kept: that of the worst success, or the cut.
double ceiling_of(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  std::sort(values.begin(), values.end());
  const double median = values[values.size() / 2];
  const double cut = median + cut_at * (median - values.front());
  return cut > median ? std::min(cut, values.back()) : values.back();
}

}  // namespace

std::vector<double> standard_values(const std::vector<double>& values) {
  const double ceiling = ceiling_of(values);
  const auto count = static_cast<double>(values.size());
  std::vector<double> result;
  double mean = 0, squares = 0;
  for (const double value : values) {
    result.push_back(std::isnan(value) ? ceiling : std::min(value, ceiling));
    mean += result.back() / count;
  }
  for (const double value : result) squares += (value - mean) * (value - mean) / count;
  const double deviation = std::sqrt(squares);
  for (double& value : result) value = deviation > 0 ? (value - mean) / deviation : 0;
  return result;
}

}  // namespace gatewise

#include "metrics/pearson.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace gatewise {

std::optional<double> pearson(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size())
    internal_error("pearson: got {} and {} rows, expected equally many", a.size(), b.size());
  const auto each_present = [&](auto use) {
    for (size_t i = 0; i < a.size(); ++i) {
      if (!std::isnan(a[i]) && !std::isnan(b[i])) use(double{a[i]}, double{b[i]});
    }
  };
  double rows = 0, sum_a = 0, sum_b = 0;
  each_present([&](double x, double y) {
    rows += 1;
    sum_a += x;
    sum_b += y;
  });
  if (rows < 2) return std::nullopt;
  double aa = 0, bb = 0, ab = 0;
  bool a_varies = false, b_varies = false;
  std::optional<std::pair<double, double>> first;
  each_present([&](double x, double y) {
    if (!first) first.emplace(x, y);
    a_varies |= x != first->first;
    b_varies |= y != first->second;
    const double da = x - sum_a / rows, db = y - sum_b / rows;
    aa += da * da;
    bb += db * db;
    ab += da * db;
  });
  if (!a_varies || !b_varies) return std::nullopt;
  return std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0);
}

}  // namespace gatewise

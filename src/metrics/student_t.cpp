#include "metrics/student_t.h"

#include <algorithm>
#include <cmath>

namespace gatewise {
namespace {

// The continued fraction of the incomplete beta function, evaluated from the front (Lentz's method); it
// converges fast for x below (a + 1) / (a + b + 2).
double beta_fraction(double x, double a, double b) {
  constexpr double tiny = 1e-300, accuracy = 1e-15;
  double numerator = 1;
  double denominator = 1 / std::max(1 - (a + b) * x / (a + 1), tiny);
  double value = denominator;
  const auto take = [&](double coefficient) {
    denominator = 1 / (1 + coefficient * denominator);
    numerator = 1 + coefficient / numerator;
    value *= numerator * denominator;
    return std::abs(numerator * denominator - 1);
  };
  for (int m = 1; m < 10000; ++m) {
    take(m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)));
    if (take(-(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))) < accuracy) break;
  }
  return value;
}

// The regularised incomplete beta function.
double incomplete_beta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
  return 1 - front * beta_fraction(1 - x, b, a) / b;
}

}  // namespace

double student_t_two_sided(double t, double degrees) {
  return incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

double student_t_quantile(double confidence, double degrees) {
  double low = 0, high = 1;
  while (student_t_two_sided(high, degrees) > 1 - confidence) high *= 2;
  for (int step = 0; step < 200 && high - low > 1e-14 * high; ++step) {
    const double middle = (low + high) / 2;
    (student_t_two_sided(middle, degrees) > 1 - confidence ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace gatewise

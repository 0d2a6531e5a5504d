#include "experiment/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

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

Summary summarise(const std::vector<double>& values, double confidence) {
  Summary summary;
  summary.count = static_cast<int64_t>(values.size());
  const auto count = static_cast<double>(values.size());
  summary.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  if (values.size() < 2) return summary;
  double squares = 0;
  for (const double value : values) squares += (value - summary.mean) * (value - summary.mean);
  summary.deviation = std::sqrt(squares / (count - 1));
  const double half = student_t_quantile(confidence, count - 1) * *summary.deviation / std::sqrt(count);
  summary.low = summary.mean - half;
  summary.high = summary.mean + half;
  return summary;
}

std::optional<double> paired_p(const std::vector<double>& differences) {
  if (differences.size() < 2) return {};
  const Summary summary = summarise(differences);
  if (*summary.deviation == 0) return summary.mean == 0 ? 1 : 0;
  const auto count = static_cast<double>(differences.size());
  return student_t_two_sided(summary.mean / (*summary.deviation / std::sqrt(count)), count - 1);
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
  std::vector<double> corrected(p.size());
  double largest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, std::min(1.0, p[order[rank]] * static_cast<double>(p.size() - rank)));
    corrected[order[rank]] = largest;
  }
  return corrected;
}

}  // namespace gatewise

#include "experiment/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gatewise {

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

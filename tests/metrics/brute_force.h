// Metrics written out from their definitions, without sorting, one pass or sharing.
#pragma once

#include <cmath>
#include <map>
#include <optional>

#include "metrics/metric.h"

namespace gatewise::brute_force {

inline double weight_of(const MetricInput& in, int64_t row) {
  if (std::isnan(in.labels[row])) return 0;
  return in.weights.empty() ? 1.0 : in.weights[row];
}

template <class Loss>
double weighted_mean(const MetricInput& in, Loss loss) {
  long double sum = 0, total = 0;
  for (int64_t row = 0; row < in.rows; ++row) {
    const double weight = weight_of(in, row);
    if (weight == 0) continue;
    sum += weight * loss(row);
    total += weight;
  }
  return static_cast<double>(sum / total);
}

// Over all pairs of a row of `positive` and a row of another class, in O(n^2).
inline std::optional<double> auc(const MetricInput& in, int64_t column, float positive,
                                 std::optional<uint64_t> group = {}) {
  long double wins = 0, total = 0;
  for (int64_t i = 0; i < in.rows; ++i) {
    for (int64_t j = 0; j < in.rows; ++j) {
      const double weight = weight_of(in, i) * weight_of(in, j);
      if (weight == 0 || in.labels[i] != positive || in.labels[j] == positive) continue;
      if (group && (in.groups[i] != *group || in.groups[j] != *group)) continue;
      const double a = in.predictions[i * in.classes + column], b = in.predictions[j * in.classes + column];
      wins += weight * (a > b ? 1.0 : a == b ? 0.5 : 0.0);
      total += weight;
    }
  }
  if (total == 0) return std::nullopt;
  return static_cast<double>(wins / total);
}

inline double mean_auc(const MetricInput& in) {
  if (in.classes == 1) return *auc(in, 0, 1.0f);
  double sum = 0;
  int defined = 0;
  for (int64_t c = 0; c < in.classes; ++c) {
    if (const auto value = auc(in, c, static_cast<float>(c))) {
      sum += *value;
      ++defined;
    }
  }
  return sum / defined;
}

inline double grouped_auc(const MetricInput& in, const std::string& option = "rows") {
  std::map<uint64_t, std::pair<double, double>> groups;  // rows' weight, positives' weight
  for (int64_t row = 0; row < in.rows; ++row) {
    groups[in.groups[row]].first += weight_of(in, row);
    if (in.labels[row] == 1) groups[in.groups[row]].second += weight_of(in, row);
  }
  double sum = 0, total = 0;
  for (const auto& [group, weights] : groups) {
    const std::optional<double> value = auc(in, 0, 1.0f, group);
    if (!value) continue;
    const double weight = option == "rows" ? weights.first : option == "positives" ? weights.second : 1.0;
    sum += weight * *value;
    total += weight;
  }
  return sum / total;
}

inline double log_loss(const MetricInput& in) {
  return weighted_mean(in, [&](int64_t row) {
    const double label = in.labels[row];
    if (in.classes > 1) return -std::log(in.predictions[row * in.classes + static_cast<int64_t>(label)]);
    const double p = in.predictions[row];
    return -(label * std::log(p) + (1 - label) * std::log(1 - p));
  });
}

inline double normalised_entropy(const MetricInput& in) {
  const double base = weighted_mean(in, [&](int64_t row) { return in.labels[row]; });
  return log_loss(in) / -(base * std::log(base) + (1 - base) * std::log(1 - base));
}

inline double accuracy(const MetricInput& in) {
  return weighted_mean(in, [&](int64_t row) {
    int64_t best = 0;
    if (in.classes == 1) best = in.predictions[row] >= 0.5f ? 1 : 0;
    for (int64_t c = 1; c < in.classes; ++c) {
      if (in.predictions[row * in.classes + c] > in.predictions[row * in.classes + best]) best = c;
    }
    return best == static_cast<int64_t>(in.labels[row]) ? 1.0 : 0.0;
  });
}

inline double calibration_ratio(const MetricInput& in) {
  return weighted_mean(in, [&](int64_t row) { return in.predictions[row]; }) /
         weighted_mean(in, [&](int64_t row) { return in.labels[row]; });
}

inline double power_error(const MetricInput& in, double power) {
  return weighted_mean(
      in, [&](int64_t row) { return std::pow(std::abs(in.predictions[row] - in.labels[row]), power); });
}

inline double r2(const MetricInput& in) {
  const double mean = weighted_mean(in, [&](int64_t row) { return in.labels[row]; });
  return 1 - power_error(in, 2) /
                 weighted_mean(in, [&](int64_t row) { return std::pow(in.labels[row] - mean, 2); });
}

// Every registered metric has its definition here; the contract test fails for one that has not.
inline const std::map<std::string, double (*)(const MetricInput&)>& definitions() {
  static const std::map<std::string, double (*)(const MetricInput&)> all{
      {"auc", mean_auc},
      {"grouped_auc", [](const MetricInput& in) { return grouped_auc(in); }},
      {"log_loss", log_loss},
      {"normalised_entropy", normalised_entropy},
      {"accuracy", accuracy},
      {"calibration_ratio", calibration_ratio},
      {"rmse", [](const MetricInput& in) { return std::sqrt(power_error(in, 2)); }},
      {"mae", [](const MetricInput& in) { return power_error(in, 1); }},
      {"r2", r2}};
  return all;
}

}  // namespace gatewise::brute_force

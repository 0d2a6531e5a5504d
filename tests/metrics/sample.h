// Made-up rows for metric tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "metrics/metric.h"

namespace gatewise {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

enum class Kind { Binary, Multiclass, Regression };

inline std::vector<Kind> kinds_of(const Metric& metric) {
  std::vector<Kind> kinds;
  if (metric.traits().fits_binary) kinds.push_back(Kind::Binary);
  if (metric.traits().fits_multiclass) kinds.push_back(Kind::Multiclass);
  if (metric.traits().fits_regression) kinds.push_back(Kind::Regression);
  return kinds;
}

struct Sample {
  int64_t classes = 1;
  std::vector<float> predictions, labels, weights;
  std::vector<uint64_t> groups;

  int64_t rows() const { return static_cast<int64_t>(labels.size()); }
  MetricInput input() const { return {rows(), classes, predictions, labels, weights, groups}; }

  // The rows `order[0]`, `order[1]`, ...; rows may repeat or be left out.
  Sample take(const std::vector<int64_t>& order) const {
    Sample taken;
    taken.classes = classes;
    for (const int64_t row : order) {
      for (int64_t c = 0; c < classes; ++c) taken.predictions.push_back(predictions[row * classes + c]);
      taken.labels.push_back(labels[row]);
      if (!weights.empty()) taken.weights.push_back(weights[row]);
      if (!groups.empty()) taken.groups.push_back(groups[row]);
    }
    return taken;
  }
  Sample slice(int64_t begin, int64_t end) const {
    std::vector<int64_t> order(static_cast<size_t>(end - begin));
    std::iota(order.begin(), order.end(), begin);
    return take(order);
  }
};

// Labels drawn from the truth; predictions are the truth disturbed by `noise` and, upwards, by `bias`. Scores
// are rounded so that there are ties. 7 groups of unequal size.
inline Sample make_sample(Kind kind, int64_t rows, double noise, double bias = 0, uint64_t seed = 1) {
  const RandomStream stream(seed, "sample");
  Sample sample;
  sample.classes = kind == Kind::Multiclass ? 4 : 1;
  for (int64_t row = 0; row < rows; ++row) {
    const auto normal = [&](uint32_t element) { return stream.normal(0, row, element); };
    const double draw = stream.uniform(1, row, 0);
    if (kind == Kind::Multiclass) {
      double truth[4], disturbed[4], truth_sum = 0, sum = 0;
      for (int c = 0; c < 4; ++c) {
        truth[c] = std::exp(2 * normal(2 * c));
        disturbed[c] = truth[c] * std::exp(noise * normal(2 * c + 1) + (c == 0 ? bias : 0));
        truth_sum += truth[c];
        sum += disturbed[c];
      }
      int label = 0;
      for (double below = truth[0]; label < 3 && draw * truth_sum > below; below += truth[++label]) continue;
      sample.labels.push_back(static_cast<float>(label));
      for (const double p : disturbed) sample.predictions.push_back(static_cast<float>(p / sum));
    } else if (kind == Kind::Binary) {
      const double logit = 2 * normal(0) - 0.5;
      const double p = 1 / (1 + std::exp(-(logit + noise * normal(1) + bias)));
      sample.labels.push_back(draw < 1 / (1 + std::exp(-logit)) ? 1.0f : 0.0f);
      sample.predictions.push_back(static_cast<float>(std::clamp(std::round(p * 50), 1.0, 49.0) / 50));
    } else {
      const double value = 100 + 30 * normal(0);
      sample.labels.push_back(static_cast<float>(value));
      sample.predictions.push_back(static_cast<float>(value + 10 * (noise * normal(1) + bias)));
    }
    sample.weights.push_back(static_cast<float>(0.5 + stream.uniform(2, row, 0)));
    sample.groups.push_back(std::min<uint64_t>(stream.below(20, 3, row, 0), 6));
  }
  return sample;
}

}  // namespace gatewise

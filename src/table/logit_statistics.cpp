#include "table/logit_statistics.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gatewise {

double sigmoid_of(double logit) { return 1 / (1 + std::exp(-logit)); }

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Newton's method on the logit of the mean, which is nearly a line in b.
double bias_for_rate(std::span<const double> scores, double rate) {
  const auto logit = [](double p) { return std::log(p / (1 - p)); };
  double bias = logit(rate) - mean_of(scores);
  for (int pass = 0; pass < 50; ++pass) {
    double mean = 0, slope = 0;
    for (const double score : scores) {
      const double p = sigmoid_of(bias + score);
      mean += p;
      slope += p * (1 - p);
    }
    mean /= static_cast<double>(scores.size());
    slope /= static_cast<double>(scores.size());
    const double change = (logit(rate) - logit(mean)) * mean * (1 - mean) / slope;
    bias += std::clamp(change, -5.0, 5.0);
    if (std::abs(change) < 1e-10) break;
  }
  return bias;
}

double best_auc(std::span<const double> probabilities, std::span<const double> shares) {
  std::vector<std::pair<double, double>> sorted;  // probability, share
  for (size_t row = 0; row < probabilities.size(); ++row)
    sorted.emplace_back(probabilities[row], shares.empty() ? 1.0 : shares[row]);
  std::sort(sorted.begin(), sorted.end());
  // Expected counts of pairs of a positive and a negative row; no row makes a pair with itself.
  double positives = 0, negatives = 0, won = 0, own_pairs = 0;
  for (size_t from = 0, to = 0; from < sorted.size(); from = to) {
    double tied_positives = 0, tied_negatives = 0, tied_own_pairs = 0;
    for (; to < sorted.size() && sorted[to].first == sorted[from].first; ++to) {
      const auto [p, share] = sorted[to];
      tied_positives += share * p;
      tied_negatives += share * (1 - p);
      tied_own_pairs += share * share * p * (1 - p);
    }
    won += tied_positives * negatives + 0.5 * (tied_positives * tied_negatives - tied_own_pairs);
    positives += tied_positives;
    negatives += tied_negatives;
    own_pairs += tied_own_pairs;
  }
  return won / (positives * negatives - own_pairs);
}

double correlation_of(std::span<const double> a, std::span<const double> b) {
  const double mean_a = mean_of(a), mean_b = mean_of(b);
  double aa = 0, bb = 0, ab = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
    ab += (a[i] - mean_a) * (b[i] - mean_b);
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

}  // namespace gatewise

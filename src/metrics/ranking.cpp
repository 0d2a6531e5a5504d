#include "metrics/ranking.h"

#include <algorithm>

namespace gatewise {

Ranking::Ranking(std::vector<RankedRow> rows) : rows_(std::move(rows)) {
  std::sort(rows_.begin(), rows_.end(),
            [](const RankedRow& a, const RankedRow& b) { return a.score < b.score; });
}

Ranking::Area Ranking::area(std::span<const double> counts) const {
  Area sums;
  double pairs = 0;
  for (size_t i = 0; i < rows_.size();) {
    const float score = rows_[i].score;
    double positives = 0, negatives = 0;
    for (; i < rows_.size() && rows_[i].score == score; ++i) {
      const double weight = counts.empty() ? rows_[i].weight : rows_[i].weight * counts[rows_[i].unit];
      positives += rows_[i].is_positive ? weight : 0.0;
      negatives += rows_[i].is_positive ? 0.0 : weight;
    }
    pairs += positives * (sums.negatives + 0.5 * negatives);
    sums.positives += positives;
    sums.negatives += negatives;
  }
  if (sums.positives > 0 && sums.negatives > 0) sums.auc = pairs / (sums.positives * sums.negatives);
  return sums;
}

}  // namespace gatewise

// One class against the rest, sorted by score once and valued under any row counts in one pass.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace gatewise {

struct RankedRow {
  float score = 0;
  bool is_positive = false;
  double weight = 1;
  int64_t unit = 0;  // which element of `counts` multiplies the weight
};

// Area under the ROC curve with row weights w:
//   sum over positives i and negatives j of w_i w_j ([s_i > s_j] + [s_i = s_j] / 2) / (sum w_i * sum w_j).
class Ranking {
 public:
  // O(n log n).
  explicit Ranking(std::vector<RankedRow> rows);

  // O(n). Empty `counts` means 1 each. No value if one class is absent; then `positives` and `negatives`,
  // which are sums of counted weights, say which.
  struct Area {
    std::optional<double> auc;
    double positives = 0, negatives = 0;
  };
  Area area(std::span<const double> counts) const;

 private:
  std::vector<RankedRow> rows_;  // by rising score
};

}  // namespace gatewise

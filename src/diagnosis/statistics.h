// What the experts and gates of a level do, in numbers.
#pragma once

#include <optional>

#include "diagnosis/watch.h"

namespace gatewise {

struct ExpertStatistics {
  int64_t rows = 0;  // on which somebody gives it a weight other than 0; all where the level has no gate
  double zero_share = 0, saturated_share = 0;  // of its outputs that are 0; at the bound of their activation
  double mean = 0, scale = 0;                  // of its outputs; of their absolute values
  int64_t dead_units = 0;                      // 0 on every row
  int64_t identical_units = 0;                 // that repeat another unit of the expert on every row
  std::vector<double> unit_zero_shares;        // by unit
  // (sum of eigenvalues)^2 / sum of squared eigenvalues of the outputs' covariance: how many directions they
  // use, between 1 and the number of units; 0 where nothing varies.
  double effective_rank = 0;
  std::vector<int64_t> histogram;  // of its outputs, in the bins of the level
};

struct GateStatistics {
  int64_t rows = 0;
  std::vector<double> weights;   // mean by expert seen
  std::vector<double> shares;    // mean of |weight| over the row's sum of them
  std::vector<double> leads;     // share of rows on which the expert has the largest |weight|
  double entropy = 0;            // mean over rows of that of the shares, in nats
  double effective_experts = 0;  // mean over rows of exp(entropy)
};

struct LevelStatistics {
  std::vector<ExpertStatistics> experts;
  std::vector<GateStatistics> gates;
  double histogram_low = 0, histogram_high = 0;
};

constexpr int64_t histogram_bins = 24;

// Over rows [first, first + rows) of the watched ones. `in_detail`: with units, histogram and effective rank.
LevelStatistics measure_level(const WatchedLevel& level, int64_t first, int64_t rows, bool in_detail);

// Linear centred kernel alignment (Kornblith et al. 2019) of every pair of experts' outputs, from 0 (nothing
// in common) to 1 (one is the other but for a rotation and a factor); 0 for outputs that do not vary.
// [experts][experts]; none where it would take more than some 10^10 operations.
std::vector<std::vector<double>> expert_similarity(const WatchedLevel& level);

// Mean over rows of the overlap of two gates' shares, the sum over experts of the smaller one: 1 where they
// mix alike. [gates][gates]; empty where gates have rows of their own, on which others do not run.
std::vector<std::vector<double>> gate_similarity(const WatchedLevel& level);

}  // namespace gatewise

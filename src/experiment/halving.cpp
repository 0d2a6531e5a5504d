#include "experiment/halving.h"

#include <algorithm>

namespace gatewise {

std::vector<Rung> rungs_of(const std::vector<CostCurve>& earlier, const std::vector<bool>& was_cut,
                           int64_t factor, int64_t first_epoch, int64_t epochs) {
  std::vector<Rung> rungs;
  for (int64_t epoch = first_epoch; epoch < epochs; epoch *= factor) {
    std::vector<double> costs;
    for (size_t i = 0; i < earlier.size(); ++i) {
      const auto seen = static_cast<int64_t>(earlier[i].size());
      if (seen == 0 || (seen < epoch && was_cut[i])) continue;
      costs.push_back(earlier[i][static_cast<size_t>(std::min(epoch, seen) - 1)]);
    }
    const auto count = static_cast<int64_t>(costs.size());
    if (count < factor) continue;
    std::sort(costs.begin(), costs.end());
    const int64_t kept = (count + factor - 1) / factor;
    rungs.push_back({epoch, costs[static_cast<size_t>(kept - 1)]});
  }
  return rungs;
}

}  // namespace gatewise

#include "training/task_sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"

namespace gatewise {
namespace {

// Whole numbers proportional to the shares that add up to `total`, by largest remainders.
std::vector<int64_t> apportion(const std::vector<double>& shares, int64_t total) {
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::vector<int64_t> parts;
  std::vector<std::pair<double, size_t>> remainders;
  int64_t left = total;
  for (size_t i = 0; i < shares.size(); ++i) {
    const double exact = static_cast<double>(total) * (shares[i] / sum);
    parts.push_back(static_cast<int64_t>(exact));
    remainders.emplace_back(exact - std::floor(exact), i);
    left -= parts.back();
  }
  std::stable_sort(remainders.begin(), remainders.end(), [](auto& a, auto& b) { return a.first > b.first; });
  for (size_t i = 0; left > 0; ++i, --left) ++parts[remainders[i % remainders.size()].second];
  return parts;
}

}  // namespace

void TaskSamplingOptions::declare(OptionSet& set) {
  set.add("temperature", &temperature,
          "rows of one task: a task with n rows fills a share of every epoch proportional to "
          "n^(1/temperature): "
          "1 as they are, more lifts small tasks, whose rows then come several times an epoch")
      .above(0);
}

TaskSampler::TaskSampler(const std::vector<uint32_t>& row_task, double temperature, uint64_t seed)
    : seed_(mix64(seed)), rows_(row_task.size()) {
  const uint32_t tasks = row_task.empty() ? 0 : 1 + *std::max_element(row_task.begin(), row_task.end());
  first_.assign(tasks + 1, 0);
  for (const uint32_t task : row_task) ++first_[task + 1];
  const auto most = static_cast<double>(*std::max_element(first_.begin(), first_.end()));
  std::vector<double> shares;
  for (uint32_t task = 0; task < tasks; ++task) {
    const auto rows = static_cast<double>(first_[task + 1]);
    // Of the largest task, whose share is 1 at any temperature: powers of the counts themselves overflow.
    shares.push_back(rows > 0 ? std::pow(rows / most, 1 / temperature) : 0);
    first_[task + 1] += first_[task];
  }
  std::vector<int64_t> next = first_;
  for (size_t row = 0; row < row_task.size(); ++row) rows_[next[row_task[row]]++] = static_cast<int64_t>(row);
  quotas_ = apportion(shares, static_cast<int64_t>(row_task.size()));
  ends_.resize(quotas_.size());
  std::partial_sum(quotas_.begin(), quotas_.end(), ends_.begin());
}

int64_t TaskSampler::row(int64_t epoch, int64_t position) const {
  const Permutation order(rows_.size(), seed_ ^ static_cast<uint64_t>(epoch));
  const auto slot = static_cast<int64_t>(order(static_cast<uint64_t>(position)));
  const auto task = std::upper_bound(ends_.begin(), ends_.end(), slot) - ends_.begin();
  const int64_t count = first_[task + 1] - first_[task];
  const int64_t draw = epoch * quotas_[task] + slot - (ends_[task] - quotas_[task]);
  const uint64_t key =
      mix64(seed_ ^ mix64(static_cast<uint64_t>(task))) ^ static_cast<uint64_t>(draw / count);
  const Permutation round(static_cast<uint64_t>(count), mix64(key));
  return rows_[first_[task] + static_cast<int64_t>(round(static_cast<uint64_t>(draw % count)))];
}

}  // namespace gatewise

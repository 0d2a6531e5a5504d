// Which rows an epoch trains on where rows belong to one task each and tasks are drawn by a temperature.
#pragma once

#include <cstdint>
#include <vector>

#include "base/options.h"

namespace gatewise {

// [training.task_sampling]; without that table an epoch takes every row once.
struct TaskSamplingOptions {
  double temperature = 1;
  void declare(OptionSet& set);
};

// An epoch has as many positions as there are rows, and task t with n_t rows fills a share of them
// proportional to n_t^(1/temperature), to the nearest row. A task goes through its rows in a new order each
// time and on from where the epoch before has stopped, so that none comes twice before all came once. The row
// at a position is a function of (seed, epoch, position), so that a resumed run enters anywhere.
class TaskSampler {
 public:
  // `row_task` [rows] as EncodedData has it.
  TaskSampler(const std::vector<uint32_t>& row_task, double temperature, uint64_t seed);

  int64_t row(int64_t epoch, int64_t position) const;
  // Positions of an epoch, by task.
  const std::vector<int64_t>& quotas() const { return quotas_; }

 private:
  uint64_t seed_;
  std::vector<int64_t> rows_;    // by task, one after the other
  std::vector<int64_t> first_;   // [tasks + 1] into rows_
  std::vector<int64_t> quotas_;  // by task
  std::vector<int64_t> ends_;    // by task: sums of quotas
};

}  // namespace gatewise

// The batches of a run: rows of a table in the order of each epoch, or fresh synthetic rows.
#pragma once

#include <optional>
#include <vector>

#include "training/batches.h"
#include "training/task_sampling.h"
#include "training/trainer.h"

namespace gatewise {

class BatchSource {
 public:
  // All arguments outlive this object. Throws Error(Data) when there is no row, Error(Command) for task
  // sampling of rows that belong to no task.
  BatchSource(const Graph& graph, const TrainingData& data, const TrainingOptions& options,
              BatchLoader& loader, Pool& pool);

  int64_t steps_per_epoch() const { return steps_per_epoch_; }
  // A function of (seed, epoch, step), so that a resumed run enters anywhere; valid until the next call.
  const Batch<float>& next(int64_t epoch, int64_t step);

 private:
  void start_task_sampling();
  const Batch<float>& next_streamed(uint64_t step);

  const TrainingData& data_;
  const TrainingOptions& options_;
  BatchLoader& loader_;
  Pool& pool_;
  int64_t steps_per_epoch_ = 0;
  std::optional<TaskSampler> sampler_;
  std::vector<int64_t> row_numbers_;
  std::vector<uint64_t> streamed_ids_;
};

}  // namespace gatewise

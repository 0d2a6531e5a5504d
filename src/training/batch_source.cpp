#include "training/batch_source.h"

#include "base/error.h"
#include "base/random.h"

namespace gatewise {
namespace {

bool has_batch_moments(const Graph& graph) {
  const auto& nodes = graph.nodes();
  return std::any_of(nodes.begin(), nodes.end(),
                     [](const Node& node) { return node.op != nullptr && node.op->name() == "batch_norm"; });
}

}  // namespace

BatchSource::BatchSource(const Graph& graph, const TrainingData& data, const TrainingOptions& options,
                         BatchLoader& loader, Pool& pool)
    : data_(data), options_(options), loader_(loader), pool_(pool) {
  if (data.stream != nullptr) {
    steps_per_epoch_ = options.steps_per_epoch;
  } else {
    const int64_t rows = data.train->rows, batch = options.batch_rows;
    steps_per_epoch_ = (rows + batch - 1) / batch;
    // One row has no variance: it joins the batch before it.
    if (rows > batch && rows % batch == 1 && batch > 1 && has_batch_moments(graph)) --steps_per_epoch_;
  }
  if (steps_per_epoch_ == 0) data_error("training: there is no row to train on");
  if (!options.task_sampling.empty()) start_task_sampling();
}

void BatchSource::start_task_sampling() {
  if (data_.train == nullptr || data_.train->row_task.empty()) {
    command_error(
        "training.task_sampling: rows are drawn by the task they belong to, and these belong to none; give "
        "the "
        "column that names it the role \"task\", or drop the table");
  }
  const auto sampling = read_options<TaskSamplingOptions>(options_.task_sampling, "training.task_sampling");
  sampler_.emplace(data_.train->row_task, sampling.temperature, static_cast<uint64_t>(options_.seed));
}

const Batch<float>& BatchSource::next_streamed(uint64_t step) {
  const SyntheticTable& stream = *data_.stream;
  const int64_t rows = options_.batch_rows, width = stream.width(), tasks = stream.tasks();
  const int64_t id_columns = stream.id_columns();
  float* x = loader_.x(rows);
  float* labels = loader_.labels(rows);
  uint32_t* indices = loader_.ids(rows);
  streamed_ids_.resize(rows * id_columns);
  constexpr int64_t rows_at_once = 128;
  pool_.run((rows + rows_at_once - 1) / rows_at_once, [&](int64_t job, int) {
    const int64_t begin = job * rows_at_once, count = std::min(rows_at_once, rows - begin);
    uint64_t* ids = streamed_ids_.data() + begin * id_columns;
    stream.fill_ids(step, begin, count, ids);
    stream.fill(step, begin, count, x + begin * width, labels + begin * tasks);
    for (int64_t i = 0; i < count * id_columns; ++i)
      indices[begin * id_columns + i] = data_.stream_indices[i % id_columns][ids[i]];
  });
  return loader_.made(rows);
}

const Batch<float>& BatchSource::next(int64_t epoch, int64_t step) {
  if (data_.stream != nullptr)
    return next_streamed(static_cast<uint64_t>(epoch * steps_per_epoch_ + step) + 1);
  const auto count = static_cast<uint64_t>(data_.train->rows);
  const uint64_t key = mix64(static_cast<uint64_t>(options_.seed)) ^ static_cast<uint64_t>(epoch);
  const Permutation order(count, key);
  const int64_t first = step * options_.batch_rows;
  const int64_t left = data_.train->rows - first;
  const int64_t rows = step + 1 == steps_per_epoch_ ? left : options_.batch_rows;
  row_numbers_.resize(rows);
  constexpr int64_t numbers_per_job = 512;
  pool_.run((rows + numbers_per_job - 1) / numbers_per_job, [&](int64_t job, int) {
    for (int64_t i = job * numbers_per_job; i < std::min(rows, (job + 1) * numbers_per_job); ++i) {
      row_numbers_[i] = sampler_ ? sampler_->row(epoch, first + i)
                                 : static_cast<int64_t>(order(static_cast<uint64_t>(first + i)));
    }
  });
  return loader_.gather(*data_.train, row_numbers_, pool_);
}

}  // namespace gatewise

#include "training/task_gradients.h"

namespace gatewise {
namespace {

constexpr int64_t most_numbers = int64_t{1} << 26;

PlanOptions plan_options(int64_t batch_rows, const std::vector<int>& parameters) {
  PlanOptions options;
  options.batch_rows = batch_rows;
  options.keeps_values = true;
  options.differentiated = parameters;
  return options;
}

void scale_gradient(Aligned<float>& gradient, double factor) {
  const auto by = static_cast<float>(factor);
  for (int64_t i = 0; by != 1 && i < gradient.size(); ++i) gradient[i] *= by;
}

}  // namespace

std::vector<GradientBlock> gradient_blocks(const Layout& layout) {
  std::vector<GradientBlock> blocks;
  for (const PathBlock& block : layout.blocks) {
    if (block.place < 0) continue;
    const ParameterPlace& place = layout.places[block.place];
    if (place.is_table || !place.is_trainable) continue;
    blocks.push_back({block.path, place.offset + block.offset, block.rows, block.columns, block.row_stride});
  }
  return blocks;
}

double dot_product(const GradientBlock& block, const float* a, const float* b) {
  double sum = 0;
  for (int64_t row = 0; row < block.rows; ++row) {
    const int64_t first = block.offset + row * block.row_stride;
    for (int64_t i = first; i < first + block.columns; ++i) sum += static_cast<double>(a[i]) * b[i];
  }
  return sum;
}

double squared_norm(const GradientBlock& block, const float* arena) {
  return dot_product(block, arena, arena);
}

TaskGradients::TaskGradients(const Graph& graph, Store<float>& store, const FeatureSpace& space, Pool& pool,
                             int64_t batch_rows, const std::string& normaliser,
                             const std::vector<int>& parameters)
    : space_(space),
      pool_(pool),
      divides_by_batch_(normaliser == "batch"),
      loader_(graph, space, normaliser),
      program_(store, pool, plan_options(batch_rows, parameters)) {}

bool TaskGradients::fits(const Store<float>& store, const FeatureSpace& space) {
  return store.layout().arena_size * static_cast<int64_t>(space.tasks.size()) <= most_numbers;
}

std::vector<Aligned<float>> TaskGradients::of(const EncodedData& data, std::span<const int64_t> rows,
                                              uint64_t step) {
  Run run;
  run.seed = 1;
  run.step = step;
  run.is_training = true;
  if (space_.has_own_labels()) return of_own_rows(data, rows, run);
  std::vector<TaskGradient<float>> found = program_.task_gradients(loader_.gather(data, rows, pool_), run);
  std::vector<Aligned<float>> gradients(space_.tasks.size());
  for (size_t task = 0; task < gradients.size(); ++task) {
    if (loader_.present_weights()[task] <= 0) continue;
    gradients[task] = std::move(found[task].arena);
    scale_gradient(gradients[task], space_.tasks[task].weight);
  }
  return gradients;
}

// The one loss is that of a single task when all rows are that task's; its weight is in the coefficients.
std::vector<Aligned<float>> TaskGradients::of_own_rows(const EncodedData& data, std::span<const int64_t> rows,
                                                       const Run& run) {
  std::vector<std::vector<int64_t>> own(space_.tasks.size());
  for (const int64_t row : rows) own[data.row_task[row]].push_back(row);
  std::vector<Aligned<float>> gradients(own.size());
  for (size_t task = 0; task < own.size(); ++task) {
    if (own[task].size() < 2) continue;
    gradients[task] =
        std::move(program_.task_gradients(loader_.gather(data, own[task], pool_), run)[0].arena);
    // The loader has divided by the task's rows; training divides by those of all tasks.
    if (divides_by_batch_)
      scale_gradient(gradients[task],
                     static_cast<double>(own[task].size()) / static_cast<double>(rows.size()));
  }
  return gradients;
}

}  // namespace gatewise

#include "diagnosis/gradients.h"

#include <cmath>
#include <numeric>

#include "training/probes.h"

namespace gatewise {
namespace {

constexpr size_t most_paired_tasks = 32;

using Arena = Aligned<float>;

double norm(const std::vector<GradientBlock>& blocks, const Arena& gradient) {
  double squares = 0;
  for (const GradientBlock& block : blocks)
    squares += gradient.size() > 0 ? squared_norm(block, gradient.data()) : 0;
  return std::sqrt(squares);
}

// Cosine over the blocks that both gradients move; NaN where there is none.
double cosine(const std::vector<GradientBlock>& blocks, const Arena& a, const Arena& b) {
  if (a.size() == 0 || b.size() == 0) return NAN;
  double dot = 0, of_a = 0, of_b = 0;
  for (const GradientBlock& block : blocks) {
    const double size_a = squared_norm(block, a.data()), size_b = squared_norm(block, b.data());
    if (size_a == 0 || size_b == 0) continue;
    dot += dot_product(block, a.data(), b.data());
    of_a += size_a;
    of_b += size_b;
  }
  return of_a > 0 && of_b > 0 ? dot / std::sqrt(of_a * of_b) : NAN;
}

}  // namespace

GradientStatistics measure_gradients(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                                     const EncodedData& data, int64_t batch_rows,
                                     const std::string& normaliser, Pool& pool) {
  GradientStatistics found;
  found.batch_rows = std::min(batch_rows, data.rows);
  if (!TaskGradients::fits(store, space)) {
    found.why_none = "the gradients of all tasks take more than 256 MiB";
    return found;
  }
  if (data.rows < 2) {
    found.why_none = "there are fewer than two rows";
    return found;
  }
  const std::vector<std::vector<GradientBlock>> experts = expert_blocks(graph, store.layout());
  const std::vector<GradientBlock> all = gradient_blocks(store.layout());
  const size_t tasks = space.tasks.size();
  found.unpaired_tasks = tasks - std::min(tasks, most_paired_tasks);
  for (size_t a = 0; a < std::min(tasks, most_paired_tasks); ++a) {
    for (size_t b = a + 1; b < std::min(tasks, most_paired_tasks); ++b) found.pairs.emplace_back(a, b);
  }
  TaskGradients gradients(graph, store, space, pool, found.batch_rows, normaliser);
  for (int64_t first = 0; first + 2 <= data.rows; first += found.batch_rows) {
    std::vector<int64_t> rows(std::min(found.batch_rows, data.rows - first));
    std::iota(rows.begin(), rows.end(), first);
    const std::vector<Arena> of_task = gradients.of(data, rows, static_cast<uint64_t>(first));
    BatchGradients& batch = found.batches.emplace_back();
    for (const std::vector<GradientBlock>& expert : experts) {
      std::vector<double>& norms = batch.norms.emplace_back();
      for (const Arena& gradient : of_task) norms.push_back(norm(expert, gradient));
      std::vector<double>& cosines = batch.expert_cosines.emplace_back();
      for (const auto& [a, b] : found.pairs) cosines.push_back(cosine(expert, of_task[a], of_task[b]));
    }
    for (const auto& [a, b] : found.pairs) batch.cosines.push_back(cosine(all, of_task[a], of_task[b]));
  }
  return found;
}

}  // namespace gatewise

#include "training/batches.h"

#include <cstring>

#include "base/error.h"

namespace gatewise {
namespace {

constexpr int64_t rows_ahead = 12;
constexpr int64_t rows_per_job = 256;

}  // namespace

int find_leaf(const Graph& graph, Leaf leaf, const std::string& name) {
  for (const Node& node : graph.nodes()) {
    if (node.leaf == leaf && node.name == name) return node.id;
  }
  return -1;
}

BatchLoader::BatchLoader(const Graph& graph, const FeatureSpace& space, const std::string& normaliser)
    : space_(space),
      divides_by_batch_(normaliser == "batch"),
      has_own_labels_(space.has_own_labels()),
      label_columns_(has_own_labels_ ? 1 : static_cast<int64_t>(space.tasks.size())) {
  numeric_node_ = find_leaf(graph, Leaf::Input, "numeric");
  labels_node_ = find_leaf(graph, Leaf::Input, "labels");
  row_task_node_ = find_leaf(graph, Leaf::Ids, "row_task");
  for (const IdFeature& feature : space.ids)
    id_nodes_.push_back(find_leaf(graph, Leaf::Ids, "ids/" + feature.name));
  for (const BagFeature& feature : space.bags) {
    bag_nodes_.push_back(find_leaf(graph, Leaf::Ids, "bags/" + feature.name));
  }
  bags_.resize(space.bags.size());
  present_.resize(space.tasks.size());
}

const Batch<float>& BatchLoader::gather(const EncodedData& data, std::span<const int64_t> rows, Pool& pool) {
  const auto count = static_cast<int64_t>(rows.size());
  if (has_own_labels_) rows = by_task(data, rows);
  numeric_.resize(count * data.numeric_width);
  ids_.resize(count * data.id_columns);
  labels_.resize(count * label_columns_);
  pool.run((count + rows_per_job - 1) / rows_per_job, [&](int64_t job, int) {
    copy_rows(data, rows, job * rows_per_job, std::min(count, (job + 1) * rows_per_job));
  });
  copy_bags(data, rows);
  has_own_labels_ ? take_own_coefficients(data, rows) : take_coefficients(&data, rows, count);
  batch_.rows = count;
  batch_.inputs[numeric_node_] = {numeric_.data(), data.numeric_width};
  batch_.inputs[labels_node_] = {labels_.data(), label_columns_};
  if (has_own_labels_) batch_.ids[row_task_node_] = {row_task_.data(), 1, nullptr, nullptr};
  for (size_t i = 0; i < id_nodes_.size(); ++i) {
    batch_.ids[id_nodes_[i]] = {ids_.data() + space_.ids[i].column, data.id_columns, nullptr, nullptr};
  }
  for (size_t i = 0; i < bag_nodes_.size(); ++i) {
    const float* weights = bags_[i].weights.empty() ? nullptr : bags_[i].weights.data();
    batch_.ids[bag_nodes_[i]] = {bags_[i].ids.data(), 1, bags_[i].offsets.data(), weights};
  }
  return batch_;
}

void BatchLoader::copy_rows(const EncodedData& data, std::span<const int64_t> rows, int64_t begin,
                            int64_t end) {
  const int64_t width = data.numeric_width, columns = data.id_columns;
  const int64_t tasks = label_columns_;
  for (int64_t i = begin; i < end; ++i) {
    if (i + rows_ahead < end) {
      const int64_t next = rows[i + rows_ahead];
      for (int64_t at = 0; at < columns; at += 16) __builtin_prefetch(data.ids.data() + next * columns + at);
      __builtin_prefetch(data.numeric.data() + next * width);
      __builtin_prefetch(data.labels.data() + next * tasks);
    }
    const int64_t row = rows[i];
    if (width > 0)
      std::memcpy(numeric_.data() + i * width, data.numeric.data() + row * width, width * sizeof(float));
    if (columns > 0) {
      std::memcpy(ids_.data() + i * columns, data.ids.data() + row * columns, columns * sizeof(uint32_t));
    }
    for (int64_t task = 0; task < tasks; ++task) {
      const float label = data.labels[row * tasks + task];
      labels_[i * tasks + task] = std::isnan(label) ? 0 : label;
    }
  }
}

// The rows with their tasks in order, those of one task in the order given: neighbours then share parameters.
std::span<const int64_t> BatchLoader::by_task(const EncodedData& data, std::span<const int64_t> rows) {
  std::vector<int64_t> next(space_.tasks.size() + 1, 0);
  for (const int64_t row : rows) ++next[data.row_task[row] + 1];
  for (size_t task = 1; task < next.size(); ++task) next[task] += next[task - 1];
  sorted_.resize(rows.size());
  row_task_.resize(rows.size());
  turns_.clear();
  for (const int64_t row : rows) {
    const auto place = static_cast<size_t>(next[data.row_task[row]]++);
    sorted_[place] = row;
    row_task_[place] = data.row_task[row];
    turns_.push_back(static_cast<int32_t>(place));
  }
  // Experts of limited capacity would otherwise drop the rows of the last tasks.
  batch_.turns = turns_;
  return sorted_;
}

void BatchLoader::copy_bags(const EncodedData& data, std::span<const int64_t> rows) {
  for (size_t bag = 0; bag < bags_.size(); ++bag) {
    const EncodedBag& from = data.bags[space_.bags[bag].bag];
    EncodedBag& into = bags_[bag];
    into.offsets.assign(1, 0);
    into.ids.clear();
    into.weights.clear();
    for (const int64_t row : rows) {
      const auto begin = from.offsets[row], end = from.offsets[row + 1];
      into.ids.insert(into.ids.end(), from.ids.begin() + begin, from.ids.begin() + end);
      if (!from.weights.empty()) {
        into.weights.insert(into.weights.end(), from.weights.begin() + begin, from.weights.begin() + end);
      }
      into.offsets.push_back(static_cast<int64_t>(into.ids.size()));
    }
  }
}

double BatchLoader::class_weight(size_t task, float label) const {
  const std::vector<double>& weights = space_.tasks[task].class_weights;
  if (weights.empty()) return 1;
  // Labels between 0 and 1 take their share of both weights.
  if (space_.tasks[task].kind == "binary") return weights[0] + (weights[1] - weights[0]) * label;
  return weights[static_cast<size_t>(label)];
}

// Weight over normaliser of every row and task; 0 where the label is missing.
void BatchLoader::take_coefficients(const EncodedData* data, std::span<const int64_t> rows, int64_t count) {
  const size_t tasks = space_.tasks.size();
  coefficients_.resize(static_cast<size_t>(count) * tasks);
  std::fill(present_.begin(), present_.end(), 0.0);
  for (int64_t i = 0; i < count; ++i) {
    const size_t source = (data == nullptr ? static_cast<size_t>(i) : static_cast<size_t>(rows[i])) * tasks;
    for (size_t task = 0; task < tasks; ++task) {
      float& coefficient = coefficients_[static_cast<size_t>(i) * tasks + task];
      const float label = data == nullptr ? labels_[source + task] : data->labels[source + task];
      coefficient = 0;
      if (std::isnan(label)) continue;
      const double weight = data == nullptr || data->weights.empty() ? 1.0 : data->weights[source + task];
      coefficient = static_cast<float>(weight * class_weight(task, label));
      present_[task] += coefficient;
    }
  }
  for (size_t task = 0; task < tasks; ++task) {
    const double normaliser = divides_by_batch_ ? static_cast<double>(count) : present_[task];
    const auto scale = static_cast<float>(normaliser > 0 ? 1 / normaliser : 0);
    for (int64_t i = 0; i < count; ++i) coefficients_[static_cast<size_t>(i) * tasks + task] *= scale;
  }
  batch_.coefficients = {coefficients_.data(), static_cast<int64_t>(tasks)};
}

// A row's weight over the normaliser of its task, times the task's weight.
void BatchLoader::take_own_coefficients(const EncodedData& data, std::span<const int64_t> rows) {
  coefficients_.resize(rows.size());
  own_coefficients_.assign(rows.size(), 0);
  std::fill(present_.begin(), present_.end(), 0.0);
  for (size_t i = 0; i < rows.size(); ++i) {
    const float label = data.labels[rows[i]];
    if (std::isnan(label)) continue;
    const double weight = data.weights.empty() ? 1.0 : data.weights[rows[i]];
    own_coefficients_[i] = weight * class_weight(row_task_[i], label);
    present_[row_task_[i]] += own_coefficients_[i];
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint32_t task = row_task_[i];
    const double normaliser = divides_by_batch_ ? static_cast<double>(rows.size()) : present_[task];
    if (normaliser > 0) own_coefficients_[i] /= normaliser;
    coefficients_[i] = static_cast<float>(own_coefficients_[i] * space_.tasks[task].weight);
  }
  batch_.coefficients = {coefficients_.data(), 1};
}

std::vector<double> BatchLoader::own_losses(ConstRows<float> row_losses) const {
  std::vector<double> losses(space_.tasks.size(), 0);
  for (size_t i = 0; i < own_coefficients_.size(); ++i) {
    if (own_coefficients_[i] == 0) continue;
    losses[row_task_[i]] +=
        own_coefficients_[i] * row_losses.data[static_cast<int64_t>(i) * row_losses.stride];
  }
  return losses;
}

const Batch<float>& BatchLoader::view(const EncodedData& data, int64_t first, int64_t count) {
  batch_.rows = count;
  batch_.turns = {};
  batch_.inputs[numeric_node_] = {data.numeric.data() + first * data.numeric_width, data.numeric_width};
  if (has_own_labels_) batch_.ids[row_task_node_] = {data.row_task.data() + first, 1, nullptr, nullptr};
  for (size_t i = 0; i < id_nodes_.size(); ++i) {
    batch_.ids[id_nodes_[i]] = {data.ids.data() + first * data.id_columns + space_.ids[i].column,
                                data.id_columns, nullptr, nullptr};
  }
  for (size_t i = 0; i < bag_nodes_.size(); ++i) {
    const EncodedBag& bag = data.bags[space_.bags[i].bag];
    batch_.ids[bag_nodes_[i]] = {bag.ids.data(), 1, bag.offsets.data() + first,
                                 bag.weights.empty() ? nullptr : bag.weights.data()};
  }
  return batch_;
}

float* BatchLoader::x(int64_t rows) {
  numeric_.resize(rows * space_.numeric_width());
  return numeric_.data();
}

uint32_t* BatchLoader::ids(int64_t rows) {
  ids_.resize(rows * static_cast<int64_t>(space_.ids.size()));
  return ids_.data();
}

float* BatchLoader::labels(int64_t rows) {
  labels_.resize(rows * static_cast<int64_t>(space_.tasks.size()));
  return labels_.data();
}

const Batch<float>& BatchLoader::made(int64_t rows) {
  take_coefficients(nullptr, {}, rows);
  for (float& label : labels_) label = std::isnan(label) ? 0 : label;
  batch_.rows = rows;
  batch_.inputs[numeric_node_] = {numeric_.data(), space_.numeric_width()};
  batch_.inputs[labels_node_] = {labels_.data(), static_cast<int64_t>(space_.tasks.size())};
  for (size_t i = 0; i < id_nodes_.size(); ++i) {
    batch_.ids[id_nodes_[i]] = {ids_.data() + space_.ids[i].column, static_cast<int64_t>(space_.ids.size()),
                                nullptr, nullptr};
  }
  return batch_;
}

}  // namespace gatewise

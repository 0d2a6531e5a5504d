// The rows that count for a task.
#pragma once

#include <cmath>

#include "features/encoded_data.h"
#include "features/feature_space.h"

namespace gatewise {

// visit(row, label, weight) for every row that has a label of the task and a weight above 0.
template <class Visit>
void each_labelled_row(const FeatureSpace& space, const EncodedData& data, size_t task, const Visit& visit) {
  const bool is_own = space.has_own_labels();
  for (int64_t row = 0; row < data.rows; ++row) {
    if (is_own && data.row_task[row] != task) continue;
    const int64_t place = row * data.tasks + (is_own ? 0 : static_cast<int64_t>(task));
    const double weight = data.weights.empty() ? 1 : data.weights[place];
    if (!std::isnan(data.labels[place]) && weight > 0) visit(row, data.labels[place], weight);
  }
}

}  // namespace gatewise

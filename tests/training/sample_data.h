// Small encoded rows with a known truth, for tests of models and training.
#pragma once

#include <cmath>

#include "base/random.h"
#include "features/encoded_data.h"
#include "features/feature_space.h"

namespace gatewise {

inline TaskSpace make_task(const std::string& name, const std::string& kind, int64_t classes = 1) {
  TaskSpace task;
  task.name = name;
  task.kind = kind;
  task.classes = classes;
  return task;
}

// Four numbers, two id columns (6 and 9 rows, width 3) and one bag over the second table.
inline FeatureSpace sample_space(std::vector<TaskSpace> tasks) {
  FeatureSpace space;
  space.numeric = {{"age", 0, 1}, {"size", 1, 3}};
  space.tables = {{"city", 6, 3}, {"item", 9, 3}};
  space.ids = {{"city", 0, 0}, {"item", 1, 1}};
  space.bags = {{"seen", 0, 1, "mean"}};
  space.tasks = std::move(tasks);
  return space;
}

// Labels depend on numbers and ids; `missing` is the share of labels left out.
inline EncodedData sample_rows(const FeatureSpace& space, int64_t rows, double missing = 0,
                               uint64_t seed = 1) {
  const RandomStream stream(seed, "rows");
  EncodedData data;
  data.rows = rows;
  data.numeric_width = space.numeric_width();
  data.id_columns = static_cast<int64_t>(space.ids.size());
  data.tasks = static_cast<int64_t>(space.tasks.size());
  data.bags.resize(space.bags.size());
  for (EncodedBag& bag : data.bags) bag.offsets.push_back(0);
  for (int64_t row = 0; row < rows; ++row) {
    const auto at = static_cast<uint64_t>(row);
    double score = 0;
    for (int64_t i = 0; i < data.numeric_width; ++i) {
      const double x = stream.normal(0, at, static_cast<uint32_t>(i));
      data.numeric.push_back(static_cast<float>(x));
      score += x * (i % 2 == 0 ? 1.0 : -0.5);
    }
    for (const IdFeature& feature : space.ids) {
      const auto table_rows = static_cast<uint64_t>(space.tables[feature.table].rows);
      const uint64_t id = stream.below(table_rows, 1, at, static_cast<uint32_t>(feature.column));
      data.ids.push_back(static_cast<uint32_t>(id));
      score += std::sin(static_cast<double>(id));
    }
    for (size_t bag = 0; bag < data.bags.size(); ++bag) {
      const auto table_rows = static_cast<uint64_t>(space.tables[space.bags[bag].table].rows);
      for (uint64_t i = 0; i < at % 3; ++i) {
        data.bags[bag].ids.push_back(
            static_cast<uint32_t>(stream.below(table_rows, 2, at, static_cast<uint32_t>(i))));
      }
      data.bags[bag].offsets.push_back(static_cast<int64_t>(data.bags[bag].ids.size()));
    }
    for (uint32_t task = 0; task < space.tasks.size(); ++task) {
      const double noise = 0.3 * stream.normal(3, at, task);
      const std::string& kind = space.tasks[task].kind;
      double label = score * (task % 2 == 0 ? 1 : -0.7) + noise;
      if (kind == "binary") label = label > 0 ? 1 : 0;
      if (kind == "multiclass") {
        label = std::min(static_cast<double>(space.tasks[task].classes - 1), std::floor(std::abs(label)));
      }
      if (stream.uniform(4, at, task) < missing) label = NAN;
      data.labels.push_back(static_cast<float>(label));
    }
  }
  return data;
}

}  // namespace gatewise

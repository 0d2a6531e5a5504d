// Rates of labels and how the tasks hang together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "features/schema.h"

namespace gatewise {

struct TaskSummary {
  std::string name;
  std::string kind;
  int64_t present = 0;  // rows with a label
  double mean = 0;      // in original units; the rate of a binary task
  double deviation = 0;
  std::vector<std::string> classes;
  std::vector<int64_t> class_counts;
};

struct PairSummary {
  std::string first, second;
  int64_t rows = 0;    // rows with both labels
  double pearson = 0;  // NaN where it is not defined
};

struct LabelSummary {
  std::vector<TaskSummary> tasks;
  std::vector<PairSummary> pairs;  // of binary and regression tasks

  Json to_json() const;
};

// Over the rows of `table`, which has the columns of all tasks.
LabelSummary summarise_labels(const Table& table, const std::vector<TaskSpec>& tasks);

// Pearson's correlation over rows where both are present (not NaN); NaN with fewer than two or without
// spread.
PairSummary correlate(const std::vector<double>& first, const std::vector<double>& second);

}  // namespace gatewise

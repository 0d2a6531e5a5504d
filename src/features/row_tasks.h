// Rows that belong to one task each, which a column names.
#pragma once

#include <string>
#include <vector>

#include "features/schema.h"

namespace gatewise {

// Gives `schema` a task, made after its template, for every value of the task column in the training part
// that has none yet, in the order of their numbers or else their texts. Does nothing without a template.
void complete_tasks(const Table& training, Schema& schema);

// The task of every row: [rows] index into schema.tasks. Throws Error(Data) with the place of a missing value
// or of one that names no task.
std::vector<uint32_t> read_row_tasks(const Table& table, const Schema& schema);

// The labels of rows of one task. Other tasks' labels, which may stand in the same column, are not looked at.
class OwnLabels {
 public:
  // `classes` by task as a fit has found them; empty: found here. Throws as read_labels().
  OwnLabels(const Table& table, const Schema& schema, const std::vector<uint32_t>& row_task,
            std::vector<std::vector<std::string>> classes = {});

  // [rows] label of the row's own task in original units; NaN where missing.
  const std::vector<double>& of_rows() const { return labels_; }
  // Those of the task's rows, in the order of rows.
  std::vector<double> of_task(size_t task) const;
  const std::vector<int64_t>& rows_of_task(size_t task) const { return rows_[task]; }
  const std::vector<std::string>& classes(size_t task) const { return classes_[task]; }

 private:
  std::vector<double> labels_;
  std::vector<std::vector<int64_t>> rows_;  // by task
  std::vector<std::vector<std::string>> classes_;
};

}  // namespace gatewise

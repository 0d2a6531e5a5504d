// Predictions of any other system in a comparison.
#pragma once

#include <string>
#include <vector>

#include "configuration/training_rows.h"
#include "training/trainer.h"

namespace gatewise {

// A file of predictions as `gatewise predict` writes it: a header, one line per row, a column per task (or
// "task:class" for each class, or "prediction" where rows belong to one task). Tasks without columns are left
// out, other columns are not used; it says which.
class ExternalPredictions {
 public:
  // `text` is "name=file". Throws Error(Command) when it is not.
  static ExternalPredictions parse(const std::string& text);

  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }

  // Reads the file. Throws Error(Data) when no column is a task's, a value is missing, or what is said of the
  // classes of a task are no probabilities: outside of 0 to 1, or of a sum farther than 0.001 from 1.
  void read(const FeatureSpace& space);

  // Tasks without a column, and columns of no task. Known once the file was read.
  const std::vector<std::string>& missing_tasks() const { return missing_tasks_; }
  const std::vector<std::string>& unused_columns() const { return unused_columns_; }

  // The metrics of the test rows, as evaluate(). The file holds either these rows or, where the test rows are
  // a share of some files by a split, all rows of those files; `rows_vary`: the test rows differ between the
  // seeds of a comparison, so that only the latter will do. Throws Error(Data) for another number of rows,
  // and for values that a metric cannot judge.
  Json measure(const TrainingRows& rows, bool rows_vary, const EvaluationOptions& options) const;

 private:
  void read_output(const Table& table, const std::vector<std::string>& columns, ValueList& values);

  std::string name_, path_;
  std::vector<std::string> missing_tasks_, unused_columns_;
  int64_t rows_ = 0;
  std::vector<ValueList> predictions_;  // by output: [rows, columns]; empty where there are none
  std::vector<int64_t> widths_;
};

}  // namespace gatewise

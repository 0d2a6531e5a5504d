// Labels of one task, in original units.
#pragma once

#include <string>
#include <vector>

#include "features/encoded_data.h"
#include "features/schema.h"

namespace gatewise {

// Names of a multiclass task's classes: those of the configuration, "0" to "k-1" for a number k, or every
// value of the training part (spellings of the same value, features/plain_text.h, are one class), in the
// order of their numbers or else their texts. Empty for other tasks.
std::vector<std::string> resolve_classes(const Table& training, const TaskSpec& task);

// One label per row, NaN where missing: 0 or 1, the index into `classes`, or the number. Throws Error(Data)
// with the place of a label outside its range.
std::vector<double> read_labels(const Table& table, const TaskSpec& task,
                                const std::vector<std::string>& classes);

// The same for task `index`, missing also where the label of its condition (TaskSpec::only_where) is not 1.
std::vector<double> labels_in_space(const Table& table, const std::vector<TaskSpec>& tasks, size_t index,
                                    const std::vector<std::string>& classes);

// What a person should know of encoded labels: tasks of a text comparison of which no row has the text.
std::vector<std::string> warnings_of_labels(const Schema& schema, const EncodedData& data);

// Throws Error(Data) when no training label is present, or all are of one class, which `is_small` allows: a
// task of few rows beside others may have one so far. `are_weighed`: those of rows without weight are left
// out.
void check_training_labels(const Table& training, const TaskSpec& task, const std::vector<double>& labels,
                           bool is_small = false, bool are_weighed = false);

}  // namespace gatewise

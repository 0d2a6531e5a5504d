// Predictions as CSV.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "features/feature_space.h"
#include "training/trainer.h"

namespace gatewise {

// A header and one line per row: a column per task, or "task:class" for each class of a multiclass task, then
// "name[i]", or "name:label", for each number of the inner values. `predictions` as predict() gives them;
// numbers in the shortest form that reads back to what they are. The text is handed over piece by piece. A
// data error, before anything is written, for a prediction that is no finite number.
void write_predictions(const FeatureSpace& space, const std::vector<ValueList>& predictions,
                       const std::vector<InnerValue>& inner, int64_t rows,
                       const std::function<void(const std::string& text)>& write);

}  // namespace gatewise

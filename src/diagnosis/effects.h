// What experts, gates and columns are worth: how much worse every task gets without them.
#pragma once

#include <functional>
#include <map>

#include "diagnosis/intervention.h"

namespace gatewise {

// By task; NaN where a metric is undefined.
struct TaskScores {
  std::vector<double> loss;  // log loss, or mean squared error in original units
  std::vector<double> main;  // auc, accuracy or r2
};
TaskScores score(const FeatureSpace& space, const EncodedData& data,
                 const std::vector<ValueList>& predictions);

struct Effects {
  TaskScores intact;                                 // by the same arithmetic as the rest
  std::vector<std::vector<TaskScores>> removed;      // [level][expert]; empty for levels without gates
  std::vector<std::vector<TaskScores>> own_removed;  // [level][task]: without all experts of its own there
  std::vector<std::vector<TaskScores>> uniform;      // [level][gate of the graph]
};
// More experts than `most` in all, or gates, leave the effects of that kind out (empty).
Effects measure_effects(const Graph& graph, const Store<float>& store, const FeatureSpace& space,
                        const EncodedData& data, int64_t most, Pool& pool);

struct ColumnEffect {
  std::string column;
  TaskScores permuted;  // means over the shuffles
  TaskScores errors;    // and their standard errors; NaN with a single shuffle
};
// Scores with the values of one feature column handed around among the rows (Breiman 2001), `shuffles` times
// each, column by column as `space` has them. `column_of`: of features that are not called as their column
// (indicators of missing values), which move with it. `data` is as before at the end.
std::vector<ColumnEffect> permute_columns(Scorer& scorer, const FeatureSpace& space, EncodedData& data,
                                          int64_t shuffles, uint64_t seed,
                                          const std::map<std::string, std::string>& column_of = {});

}  // namespace gatewise

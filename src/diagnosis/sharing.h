// The first question: does sharing help each task against a model of its own?
#pragma once

#include <functional>

#include "configuration/fit.h"
#include "training/scoring.h"

namespace gatewise {

// A model's predictions for rows, and what they are judged by.
struct JudgedModel {
  FeatureSpace space;
  EncodedData rows;                             // labels, weights and groups; the features may be left out
  std::vector<std::vector<float>> predictions;  // as predict()
};

// One model for each task that has this task alone: the same configuration, features, experts and training,
// and nothing shared. `judged` are encoded by the rows' own encoder. Labels of other tasks are not seen.
// `tell` hears which task is next. Rows are used up. Throws Error(Command) for more than 32 tasks, and as
// train() does.
std::vector<JudgedModel> train_single_models(const Configuration& configuration, TrainingRows rows,
                                             const EncodedData& judged, Pool& pool,
                                             const std::function<void(const std::string& task)>& tell);

// The metric by which models of a kind of task are compared: auc, accuracy or r2.
std::string main_metric(const std::string& task_kind);

struct SharingOptions {
  int64_t resamples = 200;
  uint64_t seed = 1;
};
// By task: {metric, shared, single, gain, low, high, direction, verdict: "helps", "hurts", "unclear" or
// "undefined", why?}; the gain is positive where sharing is better, and its interval is that of a paired
// bootstrap over the rows: it says nothing of other training seeds. Tasks that no model of `singles` has are
// left out. Throws Error(Data) when labels differ.
Json compare_with_single(const JudgedModel& shared, const std::vector<JudgedModel>& singles,
                         const SharingOptions& options);

// The answer in words.
std::string sharing_text(const Json& tasks);

}  // namespace gatewise

// The first question: does sharing help each task against a model of its own?
#pragma once

#include <functional>

#include "configuration/fit.h"
#include "training/scoring.h"

namespace gatewise {

// A model's predictions for rows, and what they are judged by.
struct JudgedModel {
  FeatureSpace space;
  EncodedData rows;                    // labels, weights and groups; the features may be left out
  std::vector<ValueList> predictions;  // as predict()
};

// Models of one configuration that differ in the seed of training alone (initial weights, order of rows,
// dropout).
struct SeedDraws {
  std::vector<JudgedModel> shared;   // the examined model's configuration again
  std::vector<JudgedModel> singles;  // of each task alone, seed by seed
};
// Trains `seeds` models of every task alone and `seeds` - 1 of the configuration as it is (none for a model
// that [continue] started), by seeds that follow the configuration's own. A task's own model has the same
// configuration, features, experts and training, and nothing shared: labels of other tasks are not seen.
// `judged` are encoded by the rows' own encoder. `tell` hears what is trained next. Throws Error(Command) for
// more than 32 tasks, and as train() does.
SeedDraws train_rivals(const Configuration& configuration, const TrainingRows& rows,
                       const EncodedData& judged, int64_t seeds, Pool& pool,
                       const std::function<void(const std::string& what)>& tell);

// The metric by which models of a kind of task are compared: auc, accuracy or r2.
std::string main_metric(const std::string& task_kind);

struct SharingOptions {
  int64_t resamples = 200;
  uint64_t seed = 1;
};
// By task: {metric, shared, single, gain, low, high, rows_low, rows_high, shared_models, single_models,
// seed_deviation, verdict: "helps", "hurts", "unclear" or "undefined", why?}. `single` is the mean of the
// task's models in `singles`, the gain that of `model` over it: positive where sharing is better. rows_low
// and rows_high are a paired bootstrap's over the rows (Efron 1979); low and high also hold the noise of
// training: `model` is one draw of its kind, and the standard deviation between seeds is pooled over the
// models of both kinds, taken by Student's t, and joined with the rows' limits by their squares (Zou and
// Donner 2008). Without a second model of either kind there is no such deviation, low and high are null, and
// nothing is claimed. Tasks that no model of `singles` has are left out. Throws Error(Data) when labels
// differ.
Json compare_with_single(const JudgedModel& model, const SeedDraws& rivals, const SharingOptions& options);

// The answer in words; `what` is shared: "of embeddings alone ", or empty.
std::string sharing_text(const Json& tasks, const std::string& what = "");

}  // namespace gatewise

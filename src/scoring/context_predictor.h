// Ranking requests: one context (a user, a page) and many candidates. The context is encoded once, and what
// depends on it alone is computed once, also within the first layers (scoring/context_split.h).
//
// Predictions agree with those of whole rows within 1e-6 (of probabilities; of regressions relative to the
// spread of the label), but not to the bit, for sums are taken in another order. A candidate's predictions do
// not depend on the other candidates or on their number: one candidate is computed like a thousand.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "scoring/context_program.h"
#include "scoring/servable_model.h"

namespace gatewise {

// A model divided by which columns are the context's. Any number of threads may share one; each has a
// ContextRun of its own. Making one takes as long as planning two models: see ContextPredictors.
class ContextPredictor {
 public:
  // `context`: names of RowEncoder::columns(), in any order; none and all are allowed. Throws Error(Command)
  // for a model without encoder, for a name that is no column, and where the weights of a bag are not on the
  // side of the bag.
  ContextPredictor(const std::shared_ptr<const ServableModel>& model, std::span<const std::string> context);

  const ServableModel& model() const { return *model_; }
  // What predict() takes values of, in the order of the model's columns.
  const std::vector<std::string>& context_columns() const { return context_.columns(); }
  const std::vector<std::string>& candidate_columns() const { return candidates_.columns(); }
  // The place of a column among those, or -1.
  int64_t find_context(std::string_view column) const { return context_.find(column); }
  int64_t find_candidate(std::string_view column) const { return candidates_.find(column); }

 private:
  friend class ContextRun;

  ContextPredictor(const Encoder& encoder, std::shared_ptr<const ServableModel> model,
                   std::span<const std::string> context);

  std::shared_ptr<const ServableModel> model_;
  RowEncoder context_, candidates_;
  std::shared_ptr<const ContextProgram> program_;
  InputBindings context_inputs_, candidate_inputs_;
};

class ContextRun {
 public:
  explicit ContextRun(std::shared_ptr<const ContextPredictor> predictor);

  const ContextPredictor& predictor() const { return *predictor_; }
  // context [context columns], candidates [rows, candidate columns] -> predictions [rows, width], as
  // PredictionRun::predict() writes them. Throws Error(Data) naming "context" or "candidate N", N counted
  // from 1, and the column at fault.
  template <class Number>
  void predict(std::span<const RawValue> context, std::span<const RawValue> candidates, int64_t rows,
               Number* predictions);

 private:
  std::shared_ptr<const ContextPredictor> predictor_;
  ContextProgramRun run_;
  EncodedData context_values_, candidate_values_;
  std::vector<ScoringInput> context_inputs_, candidate_inputs_;
};

// The divisions of one model that requests have asked for, the `most` last used of them. For any number of
// threads.
class ContextPredictors {
 public:
  explicit ContextPredictors(std::shared_ptr<const ServableModel> model, size_t most = 8);

  // Throws as ContextPredictor().
  std::shared_ptr<const ContextPredictor> get(std::span<const std::string> context);

 private:
  struct Entry {
    std::vector<std::string> context;  // ascending
    std::shared_ptr<const ContextPredictor> predictor;
  };

  std::shared_ptr<const ServableModel> model_;
  size_t most_;
  std::mutex mutex_;
  std::vector<Entry> entries_;  // last used first
};

}  // namespace gatewise

// A scoring program that is planned once and used many times.
#pragma once

#include "training/batches.h"
#include "training/trainer.h"

namespace gatewise {

class Scorer {
 public:
  // `names`: of the values inside the model that inner_values() gives.
  Scorer(const Graph& graph, Store<float>& store, const FeatureSpace& space, Pool& pool,
         const std::vector<std::string>& names = {});
  // As the functions of the same names in trainer.h.
  std::vector<ValueList> predict(const EncodedData& data);
  std::vector<InnerValue> inner_values(const EncodedData& data);
  Json evaluate(const EncodedData& data, const EvaluationOptions& options);

 private:
  const Graph& graph_;
  FeatureSpace space_;
  std::vector<std::string> names_;
  BatchLoader loader_;
  Program<float> program_;
};

// One list for each output of a model, which append_predictions() fills.
std::vector<ValueList> no_predictions(const FeatureSpace& space);

// Adds the predictions of rows [first, first + rows) of `data`, which the program has just scored, to those
// of each output.
void append_predictions(const Graph& graph, const Program<float>& program, const FeatureSpace& space,
                        const EncodedData& data, int64_t first, int64_t rows,
                        std::vector<ValueList>& predictions);

// What metrics judge of one task: predictions and labels in original units, weights and groups.
class JudgedTask {
 public:
  // `predictions` as predict() gives them; both outlive this object. Where every row belongs to one task, the
  // rows of others are left out.
  JudgedTask(const FeatureSpace& space, size_t task, const EncodedData& data,
             const std::vector<ValueList>& predictions);
  MetricInput input() const;

 private:
  int64_t rows_ = 0, classes_ = 1;
  bool is_own_ = false;
  ValueList labels_, own_predictions_;
  std::vector<float> weights_;
  std::vector<uint64_t> own_groups_;
  ValueSpan predictions_;
  std::span<const uint64_t> groups_;
};

}  // namespace gatewise

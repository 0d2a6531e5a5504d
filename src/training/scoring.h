// A scoring program that is planned once and used many times.
#pragma once

#include "training/batches.h"
#include "training/trainer.h"

namespace gatewise {

class Scorer {
 public:
  Scorer(const Graph& graph, Store<float>& store, const FeatureSpace& space, Pool& pool);
  // As the functions of the same names in trainer.h.
  std::vector<std::vector<float>> predict(const EncodedData& data);
  Json evaluate(const EncodedData& data, const EvaluationOptions& options);

 private:
  const Graph& graph_;
  FeatureSpace space_;
  BatchLoader loader_;
  Program<float> program_;
};

}  // namespace gatewise

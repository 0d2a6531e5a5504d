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
  std::vector<std::vector<float>> predict(const EncodedData& data);
  std::vector<InnerValue> inner_values(const EncodedData& data);
  Json evaluate(const EncodedData& data, const EvaluationOptions& options);

 private:
  const Graph& graph_;
  FeatureSpace space_;
  std::vector<std::string> names_;
  BatchLoader loader_;
  Program<float> program_;
};

}  // namespace gatewise

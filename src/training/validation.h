// What validation rows say of an epoch.
#pragma once

#include "training/scoring.h"
#include "training/stopping.h"

namespace gatewise {

class Validator {
 public:
  // All arguments outlive this object.
  Validator(Scorer& scorer, const Stopper& stopper, const FeatureSpace& space, const EncodedData& rows,
            const std::vector<std::string>& metrics);

  struct Judgement {
    Json tasks;  // as evaluate() gives them, with the metrics of the stopper
    // Of the stopper's metric, by task: nothing where the labels leave it undefined, NaN where predictions
    // do that are not finite.
    std::vector<std::optional<double>> values;
    std::string why_undefined;  // of the first task without a value
  };
  Judgement judge();

 private:
  EvaluationOptions evaluation() const;
  // Whether a prediction of a row that has a label is not finite.
  bool overflows(size_t task, const std::vector<ValueList>& predictions) const;

  Scorer& scorer_;
  const Stopper& stopper_;
  const FeatureSpace& space_;
  const EncodedData& rows_;
  std::vector<std::string> metrics_;
};

}  // namespace gatewise

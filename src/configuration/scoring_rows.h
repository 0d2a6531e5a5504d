// What evaluate and predict share: a saved model and rows to score.
#pragma once

#include <string>
#include <vector>

#include "configuration/overrides.h"
#include "features/encoder.h"
#include "model_file/model_directory.h"

namespace gatewise {

struct ScoringSource {
  std::string model;
  std::vector<std::string> files;
  std::string part = "test";  // whose reading options count: lines to skip can differ by part
};

// A model that has an encoder. Throws Error(Data) for one without.
LoadedModel load_scorable_model(const std::string& directory);
// Reads the files as the model's configuration says, with the overrides of "data".
EncodedData load_scoring_rows(const LoadedModel& model, const ScoringSource& source,
                              const Overrides& overrides, bool with_labels);

}  // namespace gatewise

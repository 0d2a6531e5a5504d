// A saved model with everything it takes to score rows. One serves any number of threads, each with a
// PredictionRun of its own; the C API, the server and Python share it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "features/row_encoder.h"
#include "model_file/model_directory.h"
#include "scoring/predictor.h"

namespace gatewise {

struct ServableModel {
  // Throws as load_model() and Predictor().
  explicit ServableModel(const std::string& directory);
  explicit ServableModel(LoadedModel model);
  ServableModel(const ServableModel&) = delete;  // its members refer to each other
  ServableModel& operator=(const ServableModel&) = delete;

  const LoadedModel loaded;
  const std::shared_ptr<const Predictor> predictor;
  const std::optional<RowEncoder> encoder;  // absent: rows come encoded
};

}  // namespace gatewise

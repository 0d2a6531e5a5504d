// From a configuration to encoded rows.
#pragma once

#include <memory>
#include <optional>

#include "configuration/configuration.h"
#include "features/encoder.h"
#include "table/synthetic.h"

namespace gatewise {

struct TrainingRows {
  Encoder encoder;
  std::optional<EncodedData> train;  // absent when rows are streamed
  std::unique_ptr<SyntheticTable> stream;
  std::vector<std::vector<uint32_t>> stream_indices;  // id column -> id -> row of the embedding table
  std::optional<EncodedData> validation, test;
  std::vector<std::string> new_tasks;  // that the encoder to start from did not have
};

// Reads the files of the configuration, or makes the synthetic rows. With `start`, that encoder is extended
// by the new values and tasks instead of fitting a new one.
TrainingRows load_training_rows(const Configuration& configuration, const Encoder* start);

}  // namespace gatewise

// From a configuration to encoded rows.
#pragma once

#include <memory>
#include <optional>

#include "configuration/configuration.h"
#include "features/encoder.h"
#include "features/split.h"
#include "table/synthetic.h"

namespace gatewise {

struct TrainingRows {
  Encoder encoder;
  std::shared_ptr<const EncodedData> train;  // absent when rows are streamed
  std::unique_ptr<SyntheticTable> stream;
  std::vector<std::vector<uint32_t>> stream_indices;  // id column -> id -> row of the embedding table
  std::optional<EncodedData> validation, test;
  std::vector<int64_t> test_rows;  // as Parts has them
  int64_t split_rows = 0;
  std::vector<std::string> new_tasks;  // that the encoder to start from did not have
};

// Encodes the parts that there are by the encoder and the training rows that `rows` has, or by a new encoder
// over parts.train.
void encode_parts(const Parts& parts, const Schema& schema, TrainingRows& rows);

// Reads the files of the configuration, or makes the synthetic rows. With `start`, that encoder is extended
// by the new values and tasks instead of fitting a new one.
TrainingRows load_training_rows(const Configuration& configuration, const Encoder* start);

// The same of tables in memory, by Part, split as `schema` says, which has a role for every column.
TrainingRows encode_training_rows(PartTables tables, const Schema& schema, const Encoder* start);

}  // namespace gatewise

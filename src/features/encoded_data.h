// Encoded rows: what the batch loader and the engine read. `FeatureSpace` says what the numbers mean.
#pragma once

#include <cstdint>
#include <vector>

namespace gatewise {

// A list of ids per row: those of row r are ids[offsets[r]] to ids[offsets[r + 1]].
struct EncodedBag {
  std::vector<int64_t> offsets;  // [rows + 1]
  std::vector<uint32_t> ids;
  std::vector<float> weights;  // as ids, or empty: all 1
};

// The group of a row whose group is missing. No id comes near it by counting, nor a hash but by chance.
inline constexpr uint64_t no_group = 0x9d3c7f1e58a264b7;

struct EncodedData {
  int64_t rows = 0;
  int64_t numeric_width = 0;
  std::vector<float> numeric;  // [rows, numeric_width], row-major
  int64_t id_columns = 0;
  std::vector<uint32_t> ids;  // [rows, id_columns], row-major
  std::vector<EncodedBag> bags;
  int64_t tasks = 0;  // columns of labels: one per task, or 1 (FeatureSpace::has_own_labels)
  // [rows, tasks]; NaN is missing; 0 or 1 for binary, the class for multiclass, the transformed value for
  // regression. Empty when encoded without labels.
  std::vector<float> labels;
  std::vector<float> weights;      // [rows, tasks], at least 0; empty: all 1
  std::vector<uint32_t> row_task;  // [rows] index of the one task that a row belongs to, or empty
  std::vector<uint64_t> groups;    // [rows] or empty; no_group is missing
  std::vector<double> time;        // [rows], or empty where it was not read; NaN is missing
};

}  // namespace gatewise

// Rows of a synthetic table in memory.
#pragma once

#include <vector>

#include "table/synthetic.h"

namespace gatewise {

struct MadeRows {
  std::vector<uint64_t> ids;     // [rows, id_columns]
  std::vector<float> x, labels;  // [rows, width], [rows, tasks]
};

inline MadeRows made_rows(const SyntheticTable& table, uint64_t step, int64_t first_row, int64_t rows) {
  MadeRows made{std::vector<uint64_t>(static_cast<size_t>(rows * table.id_columns())),
                std::vector<float>(static_cast<size_t>(rows * table.width())),
                std::vector<float>(static_cast<size_t>(rows * table.tasks()))};
  table.fill_ids(step, first_row, rows, made.ids.data());
  table.fill(step, first_row, rows, made.x.data(), made.labels.data());
  return made;
}

// One column of row-major values.
template <class Value>
std::vector<double> column_of(const std::vector<Value>& values, int64_t width, int64_t column) {
  std::vector<double> picked;
  for (size_t at = static_cast<size_t>(column); at < values.size(); at += static_cast<size_t>(width))
    picked.push_back(static_cast<double>(values[at]));
  return picked;
}

}  // namespace gatewise

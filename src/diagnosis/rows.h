// Parts of encoded rows.
#pragma once

#include <span>
#include <vector>

#include "features/encoded_data.h"

namespace gatewise {

// Every n-th row, `wanted` of them or all there are.
std::vector<int64_t> spread_rows(int64_t rows, int64_t wanted);
// Copies of these rows, in this order.
EncodedData select_rows(const EncodedData& data, std::span<const int64_t> rows);

// For as long as it lives, the values of one column of the rows are handed around among them.
class PermutedColumn {
 public:
  enum class Kind { Numeric, Id, Bag };
  // Of Numeric, columns [first, first + width) together; of Id and Bag the column of number `first`.
  PermutedColumn(EncodedData& data, Kind kind, int64_t first, int64_t width, uint64_t seed);
  ~PermutedColumn();
  PermutedColumn(const PermutedColumn&) = delete;
  PermutedColumn& operator=(const PermutedColumn&) = delete;

 private:
  EncodedData& data_;
  Kind kind_;
  int64_t first_, width_;
  std::vector<float> numbers_;
  std::vector<uint32_t> ids_;
  EncodedBag bag_;
};

}  // namespace gatewise

// What the columns of raw rows take: for whoever reads rows from requests, describes them or makes examples.
#pragma once

#include <string>
#include <vector>

#include "features/encoder.h"

namespace gatewise {

enum class RawKind : uint8_t {
  Number,
  Text,     // a category
  Id,       // a category that an unsigned 64-bit number names
  Numbers,  // a vector, or the weights of a bag
  Texts,    // a bag of categories
  Ids,      // a bag of ids
  Task      // names the task that the row belongs to
};

struct RawColumn {
  std::string name;
  RawKind kind = RawKind::Number;
  int64_t width = 0;                       // of a vector, otherwise 0
  std::string weighs;                      // the bag whose items these numbers weigh; empty: none
  const Vocabulary* vocabulary = nullptr;  // of categories and bags
  std::vector<Scaling> scalings;           // of a number, or of each element of a vector
};

// In the order of RowEncoder::columns(). The encoder must outlive them.
std::vector<RawColumn> raw_columns(const Encoder& encoder);

// How a kind is called in messages and descriptions: "number", "list of ids".
const char* raw_kind_name(RawKind kind);

}  // namespace gatewise

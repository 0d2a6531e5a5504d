// What a column of a file is like, as far as guessing its role needs to know.
#pragma once

#include <string>
#include <vector>

#include "table/table.h"

namespace gatewise {

struct ColumnFacts {
  int64_t rows = 0;
  int64_t missing = 0;
  int64_t distinct = 0;
  // Of the present values that are not in `null_tokens`:
  bool are_numbers = false;
  bool are_integers = false;
  bool are_times = false;  // dates
  int64_t infinite = 0;    // rows of infinity, which is no value of any role
  double least = 0, greatest = 0, mean = 0;
  // Texts like "NA" that stand in the way of a column of numbers.
  std::vector<std::string> null_tokens;
  // Texts with the number of their rows, rarest first, when there are at most 1,000.
  std::vector<std::pair<int64_t, std::string>> levels;
};

// For columns of numbers, ids and texts.
ColumnFacts look_at(const Column& column);

// The parts of a name in lower case: "isDefault_ID2" gives is, default, id2.
std::vector<std::string> words_of(const std::string& name);

// Whether a column of this name holds codes rather than amounts: "user_id", "zip".
bool is_named_like_id(const std::string& name);

}  // namespace gatewise

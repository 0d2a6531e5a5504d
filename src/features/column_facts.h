// What a column of a file is like, as far as guessing its role needs to know.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "table/table.h"

namespace gatewise {

struct ColumnFacts {
  static constexpr int64_t few_others = 10;
  int64_t rows = 0;
  int64_t missing = 0;
  int64_t distinct = 0;
  // Of the present values that are not in `null_tokens`:
  bool are_numbers = false;
  bool are_integers = false;
  bool are_ids = false;                      // each is written as a 64-bit id is; of texts and ids
  bool are_times = false;                    // dates
  int64_t infinite = 0;                      // rows of infinity, which is no value of any role
  double least = 0, greatest = 0, mean = 0;  // of the numbers
  int64_t number_rows = 0;                   // rows of numbers
  int64_t others = 0;                        // distinct texts that are no numbers
  std::vector<std::string> other_texts;      // the first few_others of them
  // Texts like "NA" that stand in the way of a column of numbers.
  std::vector<std::string> null_tokens;
  // Texts with the number of their rows (all spellings of a value under one), rarest first, when there are at
  // most 1,000.
  std::vector<std::pair<int64_t, std::string>> levels;
};

// Adds what `tokens` lack to null tokens of a table.
Json with_null_tokens(const std::vector<std::string>& null, const std::vector<std::string>& tokens);

// For columns of numbers, ids and texts.
ColumnFacts look_at(const Column& column);

// Of ASCII letters.
std::string lower_case(const std::string& text);

// The parts of a name in lower case: "isDefault_ID2" gives is, default, id2.
std::vector<std::string> words_of(const std::string& name);

// Whether a column of this name holds codes rather than amounts: "user_id", "zip".
bool is_named_like_id(const std::string& name);

}  // namespace gatewise

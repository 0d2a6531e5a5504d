// Rows of raw values out of a request's JSON: by feature name, each value read as its column wants it.
#pragma once

#include <simdjson.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serving/request_memory.h"
#include "serving/served_model.h"

namespace gatewise {

// What messages call a row: "row 3", "candidate 3", "the context".
struct RowPlace {
  std::string_view noun = "row";
  int64_t number = 0;  // from 1; 0: there is one

  std::string text() const;
};

class RawRows {
 public:
  explicit RawRows(RequestMemory& memory) : memory_(memory) {}

  // Begins with `rows` rows whose values are all missing. Model and slots must outlive the reading.
  void start(const ServedModel& model, const RowSlots& slots, int64_t rows);

  // One row: {"age": 39, "job": "clerk", "genres": ["a", "b"]}. Features that are not named are missing.
  // Throws Refusal(400) naming the row and the feature that is unknown, given twice or of a wrong type.
  void read_row(int64_t row, simdjson::dom::element object, const RowPlace& place);
  // All rows of some columns: {"age": [39, 50], ...}, as many values each as start() was told.
  void read_columns(simdjson::dom::element object);
  // One value.
  void set(int64_t row, int64_t column, const RawValue& value) {
    values_[static_cast<size_t>(row * slots_->width + slots_->of_column[static_cast<size_t>(column)])] =
        value;
  }

  // [rows, width of the slots]; until the memory is cleared.
  std::span<const RawValue> values() const { return values_; }

  size_t bytes() const { return values_.capacity() * sizeof(RawValue); }
  void give_back() { std::vector<RawValue>().swap(values_); }

  // The place of a column in the model; throws Refusal(400) with the nearest name.
  int64_t column(std::string_view name, const RowPlace& place);

 private:
  RawValue value(const RawColumn& column, simdjson::dom::element element, const RowPlace& place);
  RawValue list(const RawColumn& column, simdjson::dom::array items, const RowPlace& place);
  RawValue numbers(const RawColumn& column, simdjson::dom::array items, const RowPlace& place);
  RawValue texts(const RawColumn& column, simdjson::dom::array items, const RowPlace& place);
  std::string_view text_of(const RawColumn& column, simdjson::dom::element element, const RowPlace& place);

  RequestMemory& memory_;
  const ServedModel* model_ = nullptr;
  const RowSlots* slots_ = nullptr;
  std::vector<RawValue> values_;
  std::vector<int64_t> given_;  // by column: the mark of the row that last gave it
  int64_t mark_ = 0;
  size_t last_ = 0;  // the column found last: names mostly come in the order of the row before
};

// A number of JSON or of a tensor as a raw value, not of a column of ids: categories keep all 64 bits.
RawValue raw_number(RequestMemory& memory, int64_t value);
// Its digits, as the text of a category.
std::string_view raw_digits(RequestMemory& memory, int64_t value);
std::string_view raw_digits(RequestMemory& memory, uint64_t value);
std::string_view raw_digits(RequestMemory& memory, double value);
// true and false: texts of categories, 1 and 0 elsewhere; not of a column of ids.
RawValue raw_bool(const RawColumn& column, bool value);

}  // namespace gatewise

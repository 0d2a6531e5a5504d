// Raw values of single rows, as a request brings them, to encoded rows: no table and no memory from the heap
// per row. Values are encoded as Encoder::encode() encodes the same row of a file.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "features/encoder.h"
#include "table/string_index.h"

namespace gatewise {

// A value of one column; nothing (the first alternative) is a missing value. A text is read like a field of a
// CSV file: trimmed if data.trim says so, compared with the column's null tokens, then parsed as what the
// column is. NaN is missing too.
using RawValue = std::variant<std::monostate, double, uint64_t, std::string_view, std::span<const double>,
                              std::span<const uint64_t>, std::span<const std::string_view>>;

// Columns of a whole encoded row, ascending.
struct EncodedColumns {
  std::vector<int64_t> numeric, ids, bags;
  bool has_task = false;  // and EncodedData::row_task
};

// Some of the columns of rows whose others come apart.
struct RowPart {
  std::vector<bool> columns;  // as RowEncoder::columns() of whole rows
  std::string name;           // of a row in messages: "candidate"
  bool is_numbered = true;    // "candidate 3"
};

class RowEncoder {
 public:
  // `encoder` must outlive it.
  explicit RowEncoder(const Encoder& encoder);
  // An encoder of that part, whose encoded rows have the columns of encoded() side by side and no others.
  // Throws Error(Command) where it has a bag without its weights, or the weights without the bag.
  RowEncoder(const Encoder& encoder, const RowPart& part);

  // The columns that a row has values of, in order: features, weights of bags, and the column that names the
  // row's task.
  const std::vector<std::string>& columns() const { return names_.texts(); }
  // The place of a column, or -1.
  int64_t find(std::string_view column) const;
  const EncodedColumns& encoded() const { return encoded_; }

  // `values` [rows, columns]. Writes over `to`, whose memory is used again; labels are left empty. Throws
  // Error(Data) naming the row (counted from 1) and the column at fault.
  void encode(std::span<const RawValue> values, int64_t rows, EncodedData& to) const;

 private:
  // What is done with the values of one column.
  struct Slot {
    std::string name;
    Role role = Role::Ignore;  // Ignore: the column only weighs a bag
    bool has_ids = false, reads_dates = false;
    std::string separator;
    std::vector<std::string> null;
    std::vector<Scaling> scalings;
    const Vocabulary* vocabulary = nullptr;
    int64_t numeric = -1, indicator = -1, id = -1, bag = -1;  // columns of the encoded row
    int64_t weighs = -1;                                      // the bag whose ids it weighs
  };
  class Row;

  void add_feature(size_t column);
  Slot& slot_of(const std::string& name);
  void keep(const std::vector<bool>& columns);
  void number_columns();
  std::string row_text(int64_t row) const;

  const Encoder& encoder_;
  StringIndex names_;
  std::vector<Slot> slots_;
  StringIndex tasks_;
  bool trim_ = true;
  std::string row_name_ = "row";
  bool is_numbered_ = true;
  int64_t numeric_width_ = 0, id_columns_ = 0, bags_ = 0;
  EncodedColumns encoded_;
};

}  // namespace gatewise

// Grows one typed column, from text fields (CSV) or from typed values (Parquet).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "table/column.h"
#include "table/read_options.h"
#include "table/string_index.h"

namespace gatewise {

class ColumnBuilder {
 public:
  explicit ColumnBuilder(const ColumnRequest& request, const ReadOptions& options);

  ColumnType type() const { return type_; }
  const std::string& name() const { return column_.name; }
  int64_t rows() const { return rows_; }

  // One row from text: trimmed, compared with the null tokens, parsed. Throws FieldFault.
  void add_field(std::string_view field);
  // Fields that lie end to end: field i is data[offsets[i]] to data[offsets[i + 1]]. Throws FieldFault;
  // rows() then tells how many were added before the one at fault.
  void add_fields(const char* data, const int32_t* offsets, int64_t count);

  void add_missing();
  // One row of a typed value; the type must be the builder's own.
  void add_number(double value);
  void add_id(uint64_t id);
  void add_text(std::string_view text);
  // Lists: values first, then the end of the row.
  void add_item(uint64_t id) { std::get<IdLists>(column_.data).ids.push_back(id); }
  void add_item(double value) { std::get<NumberLists>(column_.data).values.push_back(value); }
  void add_item(std::string_view text);
  void end_list();

  Column finish();

 private:
  bool is_null(std::string_view field) const;
  // The number of a text that goes into vocabularies and class names, which are UTF-8: throws FieldFault for
  // other bytes, unless the request allows them.
  uint32_t number_in(StringIndex& index, std::string_view text) const;
  void add_texts(const char* data, const int32_t* offsets, int64_t count);
  void add_list_field(std::string_view field);
  void add_list_item(std::string_view item);

  ColumnType type_;
  bool trim_;
  bool may_hold_bytes_;
  std::vector<std::string> null_;
  std::string separator_;
  int64_t rows_ = 0;
  Column column_;
  StringIndex index_;               // raw texts of a text column, or the levels of lists
  std::vector<uint32_t> level_of_;  // raw text -> level, after trimming and null tokens
  StringIndex levels_;
};

// A field that cannot be what its column is, without the place: `"abc" is not a number; ...`.
struct FieldFault {
  std::string message;
};

}  // namespace gatewise

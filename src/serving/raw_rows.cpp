#include "serving/raw_rows.h"

#include <cmath>

#include "base/error.h"
#include "serving/json_values.h"
#include "serving/refusal.h"

namespace gatewise {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

bool is_text_kind(RawKind kind) {
  return kind == RawKind::Text || kind == RawKind::Texts || kind == RawKind::Task;
}

bool is_id_kind(RawKind kind) { return kind == RawKind::Id || kind == RawKind::Ids; }

// An id has the same bits as its text; negative ones those of 64 bits with a sign.
uint64_t id_of(element value) {
  uint64_t id = 0;
  return value.get(id) == simdjson::SUCCESS ? id : static_cast<uint64_t>(json_value<int64_t>(value));
}

// Ids and texts that came as floating-point numbers would not be what was meant.
void check_exact(const RawColumn& column, double number, const RowPlace& place) {
  const bool is_wide = number >= 0x1p64 || number <= -0x1p63;
  if (is_id_kind(column.kind) && is_wide) {
    refuse(400,
           "{}: column \"{}\": got {}, which does not fit 64 bits; expected an id from -2^63 to 2^64 - 1",
           place.text(), column.name, number);
  }
  if (is_id_kind(column.kind)) {
    refuse(
        400,
        "{}: column \"{}\": got the number {}, expected an id: ids never pass through floating point; send "
        "a whole number or its text",
        place.text(), column.name, number);
  }
  if (is_text_kind(column.kind) && is_wide) {
    refuse(400, "{}: column \"{}\": got {}, which does not fit 64 bits; send it as a text", place.text(),
           column.name, number);
  }
}

void check_no_id(const RawColumn& column, const RowPlace& place) {
  if (is_id_kind(column.kind))
    refuse(400, "{}: column \"{}\": got true or false, expected an id; send a whole number or its text",
           place.text(), column.name);
}

std::string_view string_of(element value) { return json_value<std::string_view>(value); }

template <class Number>
std::string_view digits_of(RequestMemory& memory, Number number) {
  char digits[40];
  const char* end = fmt::format_to(digits, "{}", number);
  return memory.copy({digits, static_cast<size_t>(end - digits)});
}

const char* type_of(element value) {
  switch (value.type()) {
    case element_type::ARRAY:
      return "a list";
    case element_type::OBJECT:
      return "an object";
    case element_type::STRING:
      return "a text";
    case element_type::BOOL:
      return "true or false";
    case element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

}  // namespace

RawValue raw_number(RequestMemory& memory, int64_t value) {
  constexpr int64_t exact = int64_t{1} << 53;
  if (value >= 0) return static_cast<uint64_t>(value);
  if (value >= -exact) return static_cast<double>(value);
  return digits_of(memory, value);
}

std::string_view raw_digits(RequestMemory& memory, int64_t value) { return digits_of(memory, value); }
std::string_view raw_digits(RequestMemory& memory, uint64_t value) { return digits_of(memory, value); }
std::string_view raw_digits(RequestMemory& memory, double value) { return digits_of(memory, value); }

RawValue raw_bool(const RawColumn& column, bool value) {
  if (is_text_kind(column.kind)) return std::string_view(value ? "true" : "false");
  return value ? 1.0 : 0.0;
}

std::string RowPlace::text() const {
  return number == 0 ? std::string(noun) : fmt::format("{} {}", noun, number);
}

void RawRows::start(const ServedModel& model, const RowSlots& slots, int64_t rows) {
  model_ = &model;
  slots_ = &slots;
  values_.assign(static_cast<size_t>(rows * slots.width), RawValue());
  given_.assign(model.columns().size(), 0);
  mark_ = 0;
  last_ = model.columns().size() - 1;
}

int64_t RawRows::column(std::string_view name, const RowPlace& place) {
  const std::vector<RawColumn>& columns = model_->columns();
  const size_t next = last_ + 1 < columns.size() ? last_ + 1 : 0;
  if (columns[next].name == name) {
    last_ = next;
    return static_cast<int64_t>(next);
  }
  const int64_t found = model_->model().encoder->find(name);
  if (found < 0) {
    const std::vector<std::string>& known = model_->model().encoder->columns();
    refuse(400, "{}: the model has no feature \"{}\".{}", place.text(), name.substr(0, 200),
           suggestion(name, known));
  }
  last_ = static_cast<size_t>(found);
  return found;
}

void RawRows::read_row(int64_t row, element object, const RowPlace& place) {
  if (!object.is_object())
    refuse(400, "{}: got {}, expected an object of values by feature", place.text(), type_of(object));
  ++mark_;
  RawValue* to = values_.data() + row * slots_->width;
  for (const simdjson::dom::key_value_pair field : json_object(object)) {
    const auto place_of = static_cast<size_t>(column(field.key, place));
    if (given_[place_of] == mark_) refuse(400, "{}: feature \"{}\" is given twice", place.text(), field.key);
    given_[place_of] = mark_;
    const int32_t slot = slots_->of_column[place_of];
    if (slot < 0) {
      refuse(400, "{}: feature \"{}\" is in the context too; give it in one of them", place.text(),
             field.key);
    }
    to[slot] = value(model_->columns()[place_of], field.value, place);
  }
}

void RawRows::read_columns(element object) {
  ++mark_;
  const RowPlace place{"columns"};
  for (const simdjson::dom::key_value_pair field : json_object(object)) {
    const auto place_of = static_cast<size_t>(column(field.key, place));
    if (given_[place_of] == mark_) refuse(400, "columns: feature \"{}\" is given twice", field.key);
    given_[place_of] = mark_;
    if (!field.value.is_array())
      refuse(400, "columns: \"{}\": got {}, expected a list of values by row", field.key,
             type_of(field.value));
    int64_t row = 0;
    for (const element item : json_array(field.value)) {
      const auto at = static_cast<size_t>(row * slots_->width + slots_->of_column[place_of]);
      if (at >= values_.size()) break;
      ++row;
      values_[at] = value(model_->columns()[place_of], item, {"row", row});
    }
    const auto rows = static_cast<int64_t>(values_.size()) / slots_->width;
    const auto count = static_cast<int64_t>(json_count(json_array(field.value)));
    if (count != rows)
      refuse(400, "columns: \"{}\": got {} values, expected {} as in the first column", field.key, count,
             rows);
  }
}

RawValue RawRows::value(const RawColumn& column, element item, const RowPlace& place) {
  switch (item.type()) {
    case element_type::NULL_VALUE:
      return {};
    case element_type::DOUBLE:
      check_exact(column, json_value<double>(item), place);
      return json_value<double>(item);
    case element_type::INT64:
      return is_id_kind(column.kind) ? RawValue(id_of(item)) : raw_number(memory_, json_value<int64_t>(item));
    case element_type::UINT64:
      return json_value<uint64_t>(item);
    case element_type::BOOL:
      check_no_id(column, place);
      return raw_bool(column, json_value<bool>(item));
    case element_type::STRING:
      return string_of(item);
    case element_type::ARRAY:
      return list(column, json_array(item), place);
    default:
      refuse(400, "{}: column \"{}\": got an object, expected a {}", place.text(), column.name,
             raw_kind_name(column.kind));
  }
}

RawValue RawRows::list(const RawColumn& column, simdjson::dom::array items, const RowPlace& place) {
  if (column.kind == RawKind::Numbers) return numbers(column, items, place);
  if (column.kind != RawKind::Ids && column.kind != RawKind::Texts) {
    refuse(400, "{}: column \"{}\": got a list, expected a {}", place.text(), column.name,
           raw_kind_name(column.kind));
  }
  size_t count = 0, ids = 0;
  for (const element item : items) {
    ++count;
    ids += item.is_uint64() || item.is_int64() ? 1 : 0;
  }
  if (column.kind == RawKind::Texts || ids != count) return texts(column, items, place);
  const std::span<uint64_t> to = memory_.take<uint64_t>(count);
  size_t at = 0;
  for (const element item : items) to[at++] = id_of(item);
  return std::span<const uint64_t>(to);
}

RawValue RawRows::numbers(const RawColumn& column, simdjson::dom::array items, const RowPlace& place) {
  size_t count = 0;
  for (const element item : items) {
    static_cast<void>(item);
    ++count;
  }
  const std::span<double> to = memory_.take<double>(count);
  size_t at = 0;
  for (const element item : items) {
    double& number = to[at++];
    if (item.is_null()) {
      number = std::nan("");
    } else if (item.get(number) != simdjson::SUCCESS) {
      refuse(400, "{}: column \"{}\": got {} in a list of numbers", place.text(), column.name, type_of(item));
    }
  }
  return std::span<const double>(to);
}

RawValue RawRows::texts(const RawColumn& column, simdjson::dom::array items, const RowPlace& place) {
  size_t count = 0;
  for (const element item : items) {
    static_cast<void>(item);
    ++count;
  }
  const std::span<std::string_view> to = memory_.take<std::string_view>(count);
  size_t at = 0;
  for (const element item : items) to[at++] = text_of(column, item, place);
  return std::span<const std::string_view>(to);
}

// An item of a bag; null has none, as an empty item of a file.
std::string_view RawRows::text_of(const RawColumn& column, element item, const RowPlace& place) {
  switch (item.type()) {
    case element_type::NULL_VALUE:
      return {};
    case element_type::STRING:
      return string_of(item);
    case element_type::UINT64:
      return digits_of(memory_, json_value<uint64_t>(item));
    case element_type::INT64:
      return digits_of(memory_, json_value<int64_t>(item));
    case element_type::DOUBLE:
      check_exact(column, json_value<double>(item), place);
      return digits_of(memory_, json_value<double>(item));
    case element_type::BOOL:
      check_no_id(column, place);
      return json_value<bool>(item) ? "true" : "false";
    default:
      refuse(400, "{}: column \"{}\": got {} in a {}", place.text(), column.name, type_of(item),
             raw_kind_name(column.kind));
  }
}

}  // namespace gatewise

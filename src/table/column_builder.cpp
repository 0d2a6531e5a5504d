#include "table/column_builder.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/utf8.h"
#include "table/parse.h"

namespace gatewise {
namespace {

// The field as it appears in messages: cut when long.
std::string shown(std::string_view field) {
  constexpr size_t longest = 60;
  return with_bytes_escaped(field.substr(0, longest)) + (field.size() <= longest ? "" : "...");
}

bool has_decimal_comma(std::string_view field) {
  const size_t comma = field.find(',');
  if (comma == std::string_view::npos || field.find(',', comma + 1) != std::string_view::npos) return false;
  std::string with_point(field);
  with_point[comma] = '.';
  return parse_number(with_point).has_value();
}

double number_of(std::string_view field, bool may_be_time) {
  const std::optional<double> value = may_be_time ? parse_time(field) : parse_numeric(field);
  if (value) return *value;
  if (may_be_time) {
    throw FieldFault{
        fmt::format("\"{}\" is not a time; expected a number or a date as 2011-01-31 or "
                    "2011-01-31T12:30:00",
                    shown(field))};
  }
  if (has_decimal_comma(field)) {
    throw FieldFault{fmt::format("\"{}\" is not a number; decimal commas are not read: write it with a point",
                                 shown(field))};
  }
  throw FieldFault{
      fmt::format("\"{}\" is not a number; correct the file, give the column another role, or add the "
                  "text to the column's null tokens (null = [\"{}\"])",
                  shown(field), shown(field))};
}

uint64_t id_of(std::string_view field) {
  uint64_t id = 0;
  switch (parse_id(field, id)) {
    case IdParse::Ok:
      return id;
    case IdParse::TooLarge:
      throw FieldFault{
          fmt::format("\"{}\" does not fit 64 bits; expected an id from 0 to 18446744073709551615 (or "
                      "from -9223372036854775808); read the column as type = \"text\"",
                      shown(field))};
    case IdParse::NotAnInteger:
      break;
  }
  throw FieldFault{
      fmt::format("\"{}\" is not an id; expected an integer; correct the file, read the column as type "
                  "= \"text\", or add the text to the column's null tokens",
                  shown(field))};
}

}  // namespace

ColumnBuilder::ColumnBuilder(const ColumnRequest& request, const ReadOptions& options)
    : type_(request.type),
      trim_(options.trim),
      may_hold_bytes_(request.may_hold_bytes),
      null_(request.null.value_or(options.null)),
      separator_(request.separator),
      column_{request.name, {}} {
  switch (type_) {
    case ColumnType::Number:
    case ColumnType::Time:
      break;
    case ColumnType::Id:
      column_.data = IdValues{};
      break;
    case ColumnType::Text:
      column_.data = Texts{};
      break;
    case ColumnType::IdList:
      column_.data = IdLists{};
      break;
    case ColumnType::NumberList:
      column_.data = NumberLists{};
      break;
    case ColumnType::TextList:
      column_.data = TextLists{};
      break;
  }
}

bool ColumnBuilder::is_null(std::string_view field) const {
  return std::any_of(null_.begin(), null_.end(), [&](const std::string& token) { return field == token; });
}

void ColumnBuilder::add_field(std::string_view field) {
  if (trim_) field = trim_blanks(field);
  if (is_null(field)) return add_missing();
  switch (type_) {
    case ColumnType::Number:
      return add_number(number_of(field, false));
    case ColumnType::Time:
      return add_number(number_of(field, true));
    case ColumnType::Id:
      return add_id(id_of(field));
    case ColumnType::Text:
      return add_text(field);
    default:
      return add_list_field(field);
  }
}

void ColumnBuilder::add_fields(const char* data, const int32_t* offsets, int64_t count) {
  if (type_ == ColumnType::Text) return add_texts(data, offsets, count);
  for (int64_t i = 0; i < count; ++i) {
    add_field({data + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])});
  }
}

// Each text is looked at when it is new.
uint32_t ColumnBuilder::number_in(StringIndex& index, std::string_view text) const {
  const size_t known = index.size();
  const uint32_t number = index.add(text);
  if (number == known && !may_hold_bytes_ && !is_utf8(text)) {
    throw FieldFault{fmt::format(
        "\"{}\" is not valid UTF-8; convert the file, as by: iconv -f latin1 -t utf-8", shown(text))};
  }
  return number;
}

// Trims and compares each distinct raw text once.
void ColumnBuilder::add_texts(const char* data, const int32_t* offsets, int64_t count) {
  std::vector<uint32_t>& codes = std::get<Texts>(column_.data).codes;
  const size_t first = codes.size();
  const int64_t before = rows_;
  codes.resize(first + static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t raw = index_.add({data + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])});
    if (raw == level_of_.size()) {
      rows_ = before + i;  // the row of a fault
      std::string_view text = index_.texts()[raw];
      if (trim_) text = trim_blanks(text);
      level_of_.push_back(is_null(text) ? missing_code : number_in(levels_, text));
    }
    codes[first + static_cast<size_t>(i)] = level_of_[raw];
  }
  rows_ = before + count;
}

void ColumnBuilder::add_list_field(std::string_view field) {
  while (true) {
    const size_t end = separator_.empty() ? std::string_view::npos : field.find(separator_);
    add_list_item(field.substr(0, end));
    if (end == std::string_view::npos) break;
    field.remove_prefix(end + separator_.size());
  }
  end_list();
}

// An empty item, as between two blanks, is passed over; so is a null token in a list of ids or texts.
void ColumnBuilder::add_list_item(std::string_view item) {
  if (trim_) item = trim_blanks(item);
  if (item.empty()) return;
  if (type_ == ColumnType::NumberList) {
    add_item(is_null(item) ? std::nan("") : number_of(item, false));
  } else if (is_null(item)) {
    return;
  } else if (type_ == ColumnType::IdList) {
    add_item(id_of(item));
  } else {
    add_item(item);
  }
}

void ColumnBuilder::add_missing() {
  switch (type_) {
    case ColumnType::Number:
    case ColumnType::Time:
      return add_number(std::nan(""));
    case ColumnType::Id: {
      IdValues& ids = std::get<IdValues>(column_.data);
      if (ids.present.empty()) ids.present.assign(static_cast<size_t>(rows_), 1);
      ids.values.push_back(0);
      ids.present.push_back(0);
      ++rows_;
      return;
    }
    case ColumnType::Text:
      std::get<Texts>(column_.data).codes.push_back(missing_code);
      ++rows_;
      return;
    default:
      return end_list();
  }
}

void ColumnBuilder::add_number(double value) {
  std::get<Numbers>(column_.data).values.push_back(value);
  ++rows_;
}

void ColumnBuilder::add_id(uint64_t id) {
  IdValues& ids = std::get<IdValues>(column_.data);
  ids.values.push_back(id);
  if (!ids.present.empty()) ids.present.push_back(1);
  ++rows_;
}

void ColumnBuilder::add_text(std::string_view text) {
  std::get<Texts>(column_.data).codes.push_back(number_in(levels_, text));
  ++rows_;
}

void ColumnBuilder::add_item(std::string_view text) {
  std::get<TextLists>(column_.data).codes.push_back(number_in(index_, text));
}

void ColumnBuilder::end_list() {
  const auto end = [](auto& lists, size_t size) { lists.offsets.push_back(static_cast<int64_t>(size)); };
  if (auto* ids = std::get_if<IdLists>(&column_.data)) end(*ids, ids->ids.size());
  if (auto* numbers = std::get_if<NumberLists>(&column_.data)) end(*numbers, numbers->values.size());
  if (auto* texts = std::get_if<TextLists>(&column_.data)) end(*texts, texts->codes.size());
  ++rows_;
}

Column ColumnBuilder::finish() {
  if (auto* texts = std::get_if<Texts>(&column_.data)) texts->levels = levels_.take();
  if (auto* lists = std::get_if<TextLists>(&column_.data)) lists->levels = index_.take();
  if (auto* numbers = std::get_if<Numbers>(&column_.data)) numbers->are_times = type() == ColumnType::Time;
  return std::move(column_);
}

}  // namespace gatewise

#include "table/arrow_types.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <vector>

namespace gatewise {
namespace {

int64_t integer_after(std::string_view text, char mark) {
  const size_t at = text.find(mark);
  int64_t value = 0;
  if (at != std::string_view::npos) std::from_chars(text.data() + at + 1, text.data() + text.size(), value);
  return value;
}

ArrowType decimal_type(std::string_view format) {
  const std::string_view scale = format.substr(std::min(format.find(','), format.size() - 1) + 1);
  const size_t width_at = scale.find(',');
  const bool is_wide = width_at != std::string_view::npos && scale.substr(width_at + 1) != "128";
  return {is_wide ? ArrowKind::Other : ArrowKind::Decimal, 16, integer_after(format, ',')};
}

ArrowType time_type(std::string_view format) {
  if (format == "tdD") return {ArrowKind::Time, 4, 0, 1.0 / 86400};
  if (format == "tdm") return {ArrowKind::Time, 8, 0, 1e3};
  if (!format.starts_with("ts") || format.size() < 3) return {};
  switch (format[2]) {
    case 's':
      return {ArrowKind::Time, 8, 0, 1};
    case 'm':
      return {ArrowKind::Time, 8, 0, 1e3};
    case 'u':
      return {ArrowKind::Time, 8, 0, 1e6};
    case 'n':
      return {ArrowKind::Time, 8, 0, 1e9};
    default:
      return {};
  }
}

struct NamedType {
  std::string_view format, name;
  ArrowType type;
};

const std::vector<NamedType>& plain_types() {
  using Kind = ArrowKind;
  static const std::vector<NamedType> types{
      {"n", "null", {Kind::Null}},
      {"b", "bool", {Kind::Truth}},
      {"c", "int8", {Kind::Signed, 1}},
      {"C", "uint8", {Kind::Unsigned, 1}},
      {"s", "int16", {Kind::Signed, 2}},
      {"S", "uint16", {Kind::Unsigned, 2}},
      {"i", "int32", {Kind::Signed, 4}},
      {"I", "uint32", {Kind::Unsigned, 4}},
      {"l", "int64", {Kind::Signed, 8}},
      {"L", "uint64", {Kind::Unsigned, 8}},
      {"e", "float16", {Kind::Half, 2}},
      {"f", "float", {Kind::Real, 4}},
      {"g", "double", {Kind::Real, 8}},
      {"u", "string", {Kind::Text, 4}},
      {"z", "binary", {Kind::Text, 4}},
      {"U", "large_string", {Kind::Text, 8}},
      {"Z", "large_binary", {Kind::Text, 8}},
      {"vu", "string_view", {Kind::TextView}},
      {"vz", "binary_view", {Kind::TextView}},
      {"+l", "list", {Kind::List, 4}},
      {"+L", "large_list", {Kind::List, 8}},
      {"+vl", "list_view", {Kind::ListView, 4}},
      {"+vL", "large_list_view", {Kind::ListView, 8}},
  };
  return types;
}

// Of types that cannot be read.
std::string other_type_text(std::string_view format) {
  static const std::vector<std::pair<std::string_view, std::string_view>> names{
      {"+s", "struct"},   {"+m", "map"},         {"+u", "union"},   {"+r", "run_end_encoded"},
      {"tD", "duration"}, {"tt", "time of day"}, {"ti", "interval"}};
  if (format.starts_with("w:")) return fmt::format("fixed_size_binary[{}]", format.substr(2));
  if (format.starts_with("d:")) return "decimal256";
  for (const auto& [start, name] : names) {
    if (format.starts_with(start)) return std::string(name);
  }
  return fmt::format("Arrow type \"{}\"", format);
}

}  // namespace

ArrowType arrow_type(const ArrowSchema& schema) {
  const std::string_view format = schema.format;
  for (const NamedType& type : plain_types()) {
    if (type.format == format) return type.type;
  }
  if (format.starts_with("d:")) return decimal_type(format);
  if (format.starts_with("t")) return time_type(format);
  if (format.starts_with("+w:")) return {ArrowKind::FixedList, 0, integer_after(format, ':')};
  return {};
}

std::string arrow_type_text(const ArrowSchema& schema) {
  if (schema.dictionary != nullptr) return fmt::format("dictionary<{}>", arrow_type_text(*schema.dictionary));
  const std::string_view format = schema.format;
  const ArrowType type = arrow_type(schema);
  if (is_list(type.kind) && schema.n_children == 1) {
    const std::string item = arrow_type_text(*schema.children[0]);
    return type.kind == ArrowKind::FixedList ? fmt::format("fixed_size_list<{}>[{}]", item, type.count)
                                             : fmt::format("list<{}>", item);
  }
  for (const NamedType& named : plain_types()) {
    if (named.format == format) return std::string(named.name);
  }
  if (type.kind == ArrowKind::Time)
    return format == "tdD" ? "date32" : format == "tdm" ? "date64" : "timestamp";
  if (type.kind == ArrowKind::Decimal) return "decimal";
  return other_type_text(format);
}

bool can_be_read(const ArrowSchema& schema) {
  if (schema.dictionary != nullptr) return can_be_read(*schema.dictionary);
  const ArrowKind kind = arrow_type(schema).kind;
  if (!is_list(kind)) return kind != ArrowKind::Other;
  if (schema.n_children != 1) return false;
  const ArrowSchema& item = *schema.children[0];
  return can_be_read(item) && (item.dictionary != nullptr || !is_list(arrow_type(item).kind));
}

bool holds_bytes(const ArrowSchema& schema) {
  if (schema.dictionary != nullptr) return holds_bytes(*schema.dictionary);
  if (is_list(arrow_type(schema).kind)) return schema.n_children == 1 && holds_bytes(*schema.children[0]);
  const std::string_view format = schema.format;
  return format == "z" || format == "Z" || format == "vz";
}

}  // namespace gatewise

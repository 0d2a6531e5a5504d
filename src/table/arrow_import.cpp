#include "table/arrow_import.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <string_view>

#include "table/arrow_types.h"
#include "table/parse.h"

namespace gatewise {
namespace {

[[noreturn]] void wrong_type(const ArrowSchema& schema, ColumnType wanted) {
  const bool is_id = wanted == ColumnType::Id || wanted == ColumnType::IdList;
  throw FieldFault{fmt::format("is stored as {}, which cannot be read as {}; {}", arrow_type_text(schema),
                               type_name(wanted),
                               is_id && is_real(arrow_type(schema).kind)
                                   ? "ids never pass through floating point: store the column as an integer"
                                   : "give the column another role or store it otherwise")};
}

// The builder seen as a row, or as an item of a list.
struct RowSink {
  ColumnBuilder& builder;
  static constexpr bool is_item = false;
  void id(uint64_t value) { builder.add_id(value); }
  void number(double value) { builder.add_number(value); }
  void text(std::string_view value) { builder.add_field(value); }
  void missing() { builder.add_missing(); }
};

struct ItemSink {
  ColumnBuilder& builder;
  static constexpr bool is_item = true;
  void id(uint64_t value) { builder.add_item(value); }
  void number(double value) { builder.add_item(value); }
  void text(std::string_view value) { builder.add_item(value); }
  void missing() {
    if (builder.type() == ColumnType::NumberList) builder.add_item(std::nan(""));
  }
};

// The values of one array; places count from the array's own beginning, offsets included.
class Cells {
 public:
  explicit Cells(const ArrowView& view)
      : array_(view.array),
        type_(arrow_type(view.schema)),
        start_(view.array.offset + view.offset),
        validity_(view.array.null_count == 0 || view.array.n_buffers == 0 || type_.kind == ArrowKind::Null
                      ? nullptr
                      : static_cast<const uint8_t*>(view.array.buffers[0])) {}

  const ArrowType& type() const { return type_; }
  bool is_null(int64_t i) const { return validity_ != nullptr && !bit(validity_, i + start_); }
  bool truth(int64_t i) const { return bit(static_cast<const uint8_t*>(array_.buffers[1]), i + start_); }
  template <class T>
  T value(int64_t i) const {
    return static_cast<const T*>(array_.buffers[1])[i + start_];
  }

  // Where the items of row i of a list begin and end in the child, or the bytes of a text.
  template <class Offset>
  std::pair<int64_t, int64_t> span(int64_t i) const {
    const auto* offsets = static_cast<const Offset*>(array_.buffers[1]) + i + start_;
    return {offsets[0], offsets[1]};
  }
  std::pair<int64_t, int64_t> items(int64_t i) const {
    if (type_.kind == ArrowKind::FixedList)
      return {(i + start_) * type_.count, (i + start_ + 1) * type_.count};
    if (type_.kind == ArrowKind::List) return type_.width == 4 ? span<int32_t>(i) : span<int64_t>(i);
    return type_.width == 4 ? seen_items<int32_t>(i) : seen_items<int64_t>(i);
  }
  std::string_view text(int64_t i) const {
    if (type_.kind == ArrowKind::TextView) return seen_text(i);
    const auto [from, to] = type_.width == 4 ? span<int32_t>(i) : span<int64_t>(i);
    return {static_cast<const char*>(array_.buffers[2]) + from, static_cast<size_t>(to - from)};
  }
  double decimal(int64_t i) const {
    uint64_t low = 0;
    int64_t high = 0;
    const char* digits = static_cast<const char*>(array_.buffers[1]) + (i + start_) * 16;
    std::memcpy(&low, digits, 8);
    std::memcpy(&high, digits + 8, 8);
    const long double whole = std::ldexp(static_cast<long double>(high), 64) + static_cast<long double>(low);
    return static_cast<double>(whole / std::pow(10.0L, static_cast<long double>(type_.count)));
  }

 private:
  static bool bit(const uint8_t* bits, int64_t i) { return ((bits[i >> 3] >> (i & 7)) & 1) != 0; }

  template <class Offset>
  std::pair<int64_t, int64_t> seen_items(int64_t i) const {
    const int64_t from = static_cast<const Offset*>(array_.buffers[1])[i + start_];
    return {from, from + static_cast<const Offset*>(array_.buffers[2])[i + start_]};
  }

  // 16 bytes: the length, then up to 12 bytes of text, or its first four, a buffer and a place in it.
  std::string_view seen_text(int64_t i) const {
    const char* view = static_cast<const char*>(array_.buffers[1]) + (i + start_) * 16;
    int32_t length = 0, buffer = 0, place = 0;
    std::memcpy(&length, view, 4);
    if (length <= 12) return {view + 4, static_cast<size_t>(length)};
    std::memcpy(&buffer, view + 8, 4);
    std::memcpy(&place, view + 12, 4);
    return {static_cast<const char*>(array_.buffers[2 + buffer]) + place, static_cast<size_t>(length)};
  }

  const ArrowArray& array_;
  ArrowType type_;
  int64_t start_;
  const uint8_t* validity_;
};

float half_to_float(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const float magnitude = exponent == 0    ? std::ldexp(static_cast<float>(fraction), -24)
                          : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                           : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return (bits >> 15) != 0 ? -magnitude : magnitude;
}

template <class Sink, class Put>
void put_each(const Cells& cells, int64_t from, int64_t to, Sink& sink, const Put& put) {
  for (int64_t i = from; i < to; ++i) {
    if (cells.is_null(i)) {
      sink.missing();
    } else {
      put(i);
    }
  }
}

template <class T, class Sink>
void put_integers(const Cells& cells, int64_t from, int64_t to, ColumnType wanted, Sink& sink) {
  put_each(cells, from, to, sink, [&](int64_t i) {
    const T value = cells.value<T>(i);
    if (wanted == ColumnType::Id) return sink.id(static_cast<uint64_t>(value));
    if (wanted == ColumnType::Text) return sink.text(fmt::format("{}", value));
    sink.number(static_cast<double>(value));
  });
}

template <class Sink>
void put_signed(const Cells& cells, int64_t from, int64_t to, ColumnType wanted, Sink& sink) {
  switch (cells.type().width) {
    case 1:
      return put_integers<int8_t>(cells, from, to, wanted, sink);
    case 2:
      return put_integers<int16_t>(cells, from, to, wanted, sink);
    case 4:
      return put_integers<int32_t>(cells, from, to, wanted, sink);
    default:
      return put_integers<int64_t>(cells, from, to, wanted, sink);
  }
}

template <class Sink>
void put_unsigned(const Cells& cells, int64_t from, int64_t to, ColumnType wanted, Sink& sink) {
  switch (cells.type().width) {
    case 1:
      return put_integers<uint8_t>(cells, from, to, wanted, sink);
    case 2:
      return put_integers<uint16_t>(cells, from, to, wanted, sink);
    case 4:
      return put_integers<uint32_t>(cells, from, to, wanted, sink);
    default:
      return put_integers<uint64_t>(cells, from, to, wanted, sink);
  }
}

template <class Sink, class Value>
void put_reals(const Cells& cells, int64_t from, int64_t to, ColumnType wanted, Sink& sink,
               const Value& value) {
  put_each(cells, from, to, sink, [&](int64_t i) {
    const auto number = value(i);
    if (wanted != ColumnType::Text) return sink.number(static_cast<double>(number));
    if (std::isnan(number)) return sink.missing();
    sink.text(number_text(number));
  });
}

template <class Sink>
void put_times(const Cells& cells, int64_t from, int64_t to, Sink& sink) {
  const ArrowType& type = cells.type();
  put_each(cells, from, to, sink, [&](int64_t i) {
    if (type.width == 4) return sink.number(86400.0 * cells.value<int32_t>(i));
    sink.number(static_cast<double>(cells.value<int64_t>(i)) / type.unit);
  });
}

// Adds the values from `from` to `to`, each as `wanted`: Number, Id, Text or Time.
template <class Sink>
void put_values(const ArrowView& view, int64_t from, int64_t to, ColumnType wanted, Sink sink) {
  const Cells cells(view);
  const ArrowKind kind = cells.type().kind;
  if (is_real(kind) && wanted == ColumnType::Id) wrong_type(view.schema, wanted);
  if (kind == ArrowKind::Time && wanted != ColumnType::Time && wanted != ColumnType::Number)
    wrong_type(view.schema, wanted);
  switch (kind) {
    case ArrowKind::Null:
      for (int64_t i = from; i < to; ++i) sink.missing();
      return;
    case ArrowKind::Truth:
      return put_each(cells, from, to, sink, [&](int64_t i) {
        const bool value = cells.truth(i);
        if (wanted == ColumnType::Text) return sink.text(value ? "true" : "false");
        if (wanted == ColumnType::Id) return sink.id(value);
        sink.number(value);
      });
    case ArrowKind::Signed:
      return put_signed(cells, from, to, wanted, sink);
    case ArrowKind::Unsigned:
      return put_unsigned(cells, from, to, wanted, sink);
    case ArrowKind::Half:
      return put_reals(cells, from, to, wanted, sink,
                       [&](int64_t i) { return half_to_float(cells.value<uint16_t>(i)); });
    case ArrowKind::Real:
      if (cells.type().width == 4)
        return put_reals(cells, from, to, wanted, sink, [&](int64_t i) { return cells.value<float>(i); });
      return put_reals(cells, from, to, wanted, sink, [&](int64_t i) { return cells.value<double>(i); });
    case ArrowKind::Decimal:
      return put_reals(cells, from, to, wanted, sink, [&](int64_t i) { return cells.decimal(i); });
    case ArrowKind::Text:
    case ArrowKind::TextView:
      if (Sink::is_item && wanted != ColumnType::Text) wrong_type(view.schema, wanted);
      return put_each(cells, from, to, sink, [&](int64_t i) { sink.text(cells.text(i)); });
    case ArrowKind::Time:
      return put_times(cells, from, to, sink);
    default:
      wrong_type(view.schema, wanted);
  }
}

ColumnType item_type(ColumnType list) {
  return list == ColumnType::IdList       ? ColumnType::Id
         : list == ColumnType::NumberList ? ColumnType::Number
                                          : ColumnType::Text;
}

bool is_list_type(ColumnType type) {
  return type == ColumnType::IdList || type == ColumnType::NumberList || type == ColumnType::TextList;
}

// The value that place i of a dictionary-encoded array points to.
int64_t dictionary_place(const Cells& indices, int64_t i) {
  const bool is_unsigned = indices.type().kind == ArrowKind::Unsigned;
  switch (indices.type().width) {
    case 1:
      return is_unsigned ? indices.value<uint8_t>(i) : indices.value<int8_t>(i);
    case 2:
      return is_unsigned ? indices.value<uint16_t>(i) : indices.value<int16_t>(i);
    case 4:
      return is_unsigned ? static_cast<int64_t>(indices.value<uint32_t>(i)) : indices.value<int32_t>(i);
    default:
      return indices.value<int64_t>(i);
  }
}

template <class Sink>
void put_dictionary(const ArrowView& view, int64_t from, int64_t to, ColumnType wanted, Sink sink) {
  const Cells indices(view);
  const ArrowView values{*view.schema.dictionary, *view.array.dictionary};
  put_each(indices, from, to, sink, [&](int64_t i) {
    const int64_t at = dictionary_place(indices, i);
    put_values(values, at, at + 1, wanted, sink);
  });
}

void put_lists(const ArrowView& view, int64_t from, int64_t to, ColumnBuilder& builder) {
  const Cells lists(view);
  const ArrowView child{*view.schema.children[0], *view.array.children[0]};
  const ColumnType wanted = item_type(builder.type());
  for (int64_t i = from; i < to; ++i) {
    if (!lists.is_null(i)) {
      const auto [first, last] = lists.items(i);
      if (child.schema.dictionary != nullptr) {
        put_dictionary(child, first, last, wanted, ItemSink{builder});
      } else {
        put_values(child, first, last, wanted, ItemSink{builder});
      }
    }
    builder.end_list();
  }
}

}  // namespace

ColumnType natural_type(const ArrowSchema& schema, bool has_numbers) {
  if (schema.dictionary != nullptr) return ColumnType::Text;
  const ArrowKind kind = arrow_type(schema).kind;
  if (is_real(kind)) return ColumnType::Number;
  if (kind == ArrowKind::Time) return ColumnType::Time;
  if (is_list(kind) && schema.n_children == 1) {
    const ArrowSchema& item = *schema.children[0];
    const ArrowKind of_item = item.dictionary != nullptr ? ArrowKind::Text : arrow_type(item).kind;
    if (is_real(of_item)) return ColumnType::NumberList;
    return of_item == ArrowKind::Signed || of_item == ArrowKind::Unsigned ? ColumnType::IdList
                                                                          : ColumnType::TextList;
  }
  const bool is_whole = kind == ArrowKind::Truth || kind == ArrowKind::Signed || kind == ArrowKind::Unsigned;
  return has_numbers && is_whole ? ColumnType::Number : ColumnType::Text;
}

void append_arrow(const ArrowView& view, int64_t first, int64_t count, ColumnBuilder& builder) {
  const ArrowKind kind = arrow_type(view.schema).kind;
  const int64_t end = first + count;
  if (view.schema.dictionary != nullptr) {
    if (is_list_type(builder.type())) wrong_type(view.schema, builder.type());
    put_dictionary(view, first, end, builder.type(), RowSink{builder});
  } else if (is_list(kind)) {
    if (!is_list_type(builder.type()) || view.schema.n_children != 1) wrong_type(view.schema, builder.type());
    put_lists(view, first, end, builder);
  } else {
    const bool is_text = kind == ArrowKind::Text || kind == ArrowKind::TextView;
    if (is_list_type(builder.type()) && !is_text && kind != ArrowKind::Null)
      wrong_type(view.schema, builder.type());
    put_values(view, first, end, builder.type(), RowSink{builder});
  }
}

}  // namespace gatewise

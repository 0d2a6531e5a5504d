// Values of parsed JSON whose type has been looked at.
#pragma once

#include <simdjson.h>

#include <iterator>
#include <string_view>

#include "base/error.h"

namespace gatewise {

// Throws Error(Internal) when the type is another one.
template <class T>
T json_value(simdjson::dom::element element) {
  T value{};
  if (element.get(value) != simdjson::SUCCESS) internal_error("json: a value is of another type");
  return value;
}

inline simdjson::dom::object json_object(simdjson::dom::element element) {
  return json_value<simdjson::dom::object>(element);
}
inline simdjson::dom::array json_array(simdjson::dom::element element) {
  return json_value<simdjson::dom::array>(element);
}

// The items of an array, or the fields of an object. simdjson's own size() stops counting at 2^24 - 1.
template <class List>
size_t json_count(const List& list) {
  constexpr size_t most_counted = 0xFFFFFF;
  if (list.size() < most_counted) return list.size();
  return static_cast<size_t>(std::distance(list.begin(), list.end()));
}

}  // namespace gatewise

// The one tree type for configuration, reports and metadata. Keys keep their order.
#pragma once

#include <cmath>
#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace gatewise {

using Json = nlohmann::ordered_json;

template <class T>
concept WholeNumber = std::integral<T> && sizeof(T) >= sizeof(int);

// The value of `json`. Throws its type_error for anything but a whole number that T holds (2.0 is one).
template <WholeNumber T, class AnyJson>
T whole_number(const AnyJson& json) {
  if (json.is_number_unsigned()) {
    const auto value = *json.template get_ptr<const typename AnyJson::number_unsigned_t*>();
    if (std::in_range<T>(value)) return static_cast<T>(value);
  } else if (json.is_number_integer()) {
    const auto value = *json.template get_ptr<const typename AnyJson::number_integer_t*>();
    if (std::in_range<T>(value)) return static_cast<T>(value);
  } else if (json.is_number_float()) {
    const double value = *json.template get_ptr<const typename AnyJson::number_float_t*>();
    // The first number out of range is a power of two, and so a double; the last one in range may be none.
    const double limit = std::ldexp(1.0, std::numeric_limits<T>::digits);
    const double least = std::is_signed_v<T> ? -limit : 0.0;
    if (value >= least && value < limit && value == std::trunc(value)) return static_cast<T>(value);
  }
  throw AnyJson::type_error::create(302, "expected a whole number in range, got " + json.dump(), &json);
}

}  // namespace gatewise

// In place of the library's own, which cuts fractions off and is undefined for numbers out of range.
template <gatewise::WholeNumber T>
struct nlohmann::adl_serializer<T, void> {
  template <class AnyJson>
  static void to_json(AnyJson& json, T value) {
    nlohmann::to_json(json, value);
  }
  template <class AnyJson>
  static void from_json(const AnyJson& json, T& value) {
    value = gatewise::whole_number<T>(json);
  }
};

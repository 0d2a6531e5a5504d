// The core's JSON and Python's dictionaries, lists, texts and numbers, either way; NumPy's scalars are taken
// as what they are.
#pragma once

#include <nanobind/nanobind.h>

#include "base/json.h"

namespace gatewise {

// Throws nanobind::type_error for an object that is none of these.
Json json_of(nanobind::handle object);
nanobind::object object_of(const Json& json);

}  // namespace gatewise

namespace nanobind::detail {

template <>
struct type_caster<gatewise::Json> {
  NB_TYPE_CASTER(gatewise::Json, const_name("object"))

  bool from_python(handle source, uint8_t, cleanup_list*) {
    value = gatewise::json_of(source);
    return true;
  }
  static handle from_cpp(const gatewise::Json& json, rv_policy, cleanup_list*) {
    return gatewise::object_of(json).release();
  }
};

}  // namespace nanobind::detail

#include "python/src/json_caster.h"

#include <nanobind/stl/string.h>

#include <cmath>
#include <string>

#include "base/error.h"

namespace nb = nanobind;

namespace gatewise {
namespace {

// `where` is the path of the value: "training.seed".
Json json_at(nb::handle object, const std::string& where);

Json object_json(nb::handle dict, const std::string& where) {
  Json json = Json::object();
  for (const auto& [key, value] : nb::borrow<nb::dict>(dict)) {
    const std::string name = nb::cast<std::string>(nb::str(key));
    json[name] = json_at(value, where.empty() ? name : where + "." + name);
  }
  return json;
}

Json whole_json(nb::handle object, const std::string& where) {
  int overflow = 0;
  const int64_t whole = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
  if (overflow == 0) return whole;
  const uint64_t large = PyLong_AsUnsignedLongLong(object.ptr());
  if (PyErr_Occurred() == nullptr) return large;
  PyErr_Clear();
  command_error("{}: got {}, expected a whole number of 64 bits", where.empty() ? "options" : where,
                nb::cast<std::string>(nb::str(object)));
}

// JSON has no other numbers: what is not finite would arrive as null.
Json number_json(nb::handle object, const std::string& where) {
  const double number = nb::cast<double>(object);
  if (std::isfinite(number)) return number;
  command_error("{}: got {}, expected a finite number", where.empty() ? "options" : where, number);
}

Json json_at(nb::handle object, const std::string& where) {
  if (object.is_none()) return nullptr;
  if (nb::isinstance<nb::bool_>(object)) return nb::cast<bool>(object);
  if (nb::isinstance<nb::int_>(object)) return whole_json(object, where);
  if (nb::isinstance<nb::float_>(object)) return number_json(object, where);
  if (nb::isinstance<nb::str>(object)) return nb::cast<std::string>(object);
  if (nb::isinstance<nb::dict>(object)) return object_json(object, where);
  if (nb::hasattr(object, "tolist")) return json_at(object.attr("tolist")(), where);
  if (nb::isinstance<nb::list>(object) || nb::isinstance<nb::tuple>(object)) {
    Json json = Json::array();
    for (const nb::handle item : object) json.push_back(json_at(item, where));
    return json;
  }
  const std::string type = nb::cast<std::string>(nb::str(object.type().attr("__name__")));
  throw nb::type_error(((where.empty() ? "options" : where) + ": got a " + type +
                        ", expected texts, numbers, truth values, lists and dictionaries")
                           .c_str());
}

}  // namespace

Json json_of(nb::handle object) { return json_at(object, ""); }

nb::object object_of(const Json& json) {
  switch (json.type()) {
    case Json::value_t::object: {
      nb::dict dict;
      for (const auto& [key, value] : json.items()) dict[nb::str(key.data(), key.size())] = object_of(value);
      return dict;
    }
    case Json::value_t::array: {
      nb::list list;
      for (const Json& item : json) list.append(object_of(item));
      return list;
    }
    case Json::value_t::string: {
      const auto& text = json.get_ref<const std::string&>();
      return nb::str(text.data(), text.size());
    }
    case Json::value_t::boolean:
      return nb::bool_(json.get<bool>());
    case Json::value_t::number_integer:
      return nb::int_(json.get<int64_t>());
    case Json::value_t::number_unsigned:
      return nb::int_(json.get<uint64_t>());
    case Json::value_t::number_float:
      return nb::float_(json.get<double>());
    default:
      return nb::none();
  }
}

}  // namespace gatewise

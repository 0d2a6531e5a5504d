#include "python/src/python_values.h"

#include <nanobind/stl/string.h>

#include <cmath>

#include "base/error.h"
#include "table/parse.h"

namespace nb = nanobind;

namespace gatewise {
namespace {

// Arrays of NumPy's offer to be numbers, which only those of one value are.
bool has_items(nb::handle value) {
  if (PyLong_Check(value.ptr()) || PyFloat_Check(value.ptr()) || nb::isinstance<nb::str>(value)) return false;
  if (PyObject_Size(value.ptr()) >= 0) return true;
  PyErr_Clear();
  return false;
}

[[noreturn]] void refuse_size(nb::handle value, const char* expected) {
  PyErr_Clear();
  throw FieldFault{
      fmt::format("got {}, expected {}", nb::cast<std::string>(nb::str(value)).substr(0, 60), expected)};
}

double number_in(nb::handle value) {
  const nb::object number = nb::steal(PyNumber_Float(value.ptr()));
  if (number.is_valid()) return PyFloat_AsDouble(number.ptr());
  if (PyErr_ExceptionMatches(PyExc_OverflowError) != 0) refuse_size(value, "a number below 1.8e308");
  nb::raise_python_error();
}

uint64_t id_in(nb::handle value) {
  const nb::object whole = nb::steal(PyNumber_Index(value.ptr()));
  if (!whole.is_valid()) nb::raise_python_error();
  int overflow = 0;
  const int64_t id = PyLong_AsLongLongAndOverflow(whole.ptr(), &overflow);
  if (overflow == 0) return static_cast<uint64_t>(id);
  const uint64_t large = PyLong_AsUnsignedLongLong(whole.ptr());
  if (PyErr_Occurred() != nullptr) {
    refuse_size(
        value,
        "an id from 0 to 18446744073709551615 (or from -9223372036854775808); hand longer ones over as "
        "texts");
  }
  return large;
}

std::string text_in(nb::handle value) {
  const std::string_view type = Py_TYPE(value.ptr())->tp_name;
  if (PyBool_Check(value.ptr()) || type.starts_with("numpy.bool"))
    return PyObject_IsTrue(value.ptr()) == 1 ? "true" : "false";
  if (!is_whole(value) && is_number(value)) {
    const double number = number_in(value);
    return type == "numpy.float32" ? number_text(static_cast<float>(number)) : number_text(number);
  }
  return nb::cast<std::string>(nb::str(value));
}

template <class Row, class Item>
void put_object(nb::handle value, ColumnType wanted, const Row& number, const Item& id, const auto& text) {
  if (nb::isinstance<nb::str>(value)) return text(nb::cast<std::string>(value));
  if (!is_number(value)) refuse(value, wanted);
  if (wanted == ColumnType::Text) return text(text_in(value));
  if (wanted != ColumnType::Id) return number(number_in(value));
  if (!is_whole(value)) refuse(value, wanted);
  id(id_in(value));
}

}  // namespace

bool is_missing(nb::handle value) {
  if (value.is_none()) return true;
  // NaN, and what pandas puts for a missing time or value, are not equal to themselves.
  if (PyFloat_Check(value.ptr())) return std::isnan(PyFloat_AsDouble(value.ptr()));
  const char* type = Py_TYPE(value.ptr())->tp_name;
  return std::string_view(type).ends_with("NAType") || std::string_view(type).ends_with("NaTType");
}

bool is_whole(nb::handle value) {
  return PyLong_Check(value.ptr()) || (PyIndex_Check(value.ptr()) && !has_items(value));
}

bool is_number(nb::handle value) {
  return PyLong_Check(value.ptr()) || PyFloat_Check(value.ptr()) ||
         ((PyIndex_Check(value.ptr()) || nb::hasattr(value, "__float__")) && !has_items(value));
}

bool is_sequence(nb::handle value) {
  return !nb::isinstance<nb::str>(value) && !nb::isinstance<nb::bytes>(value) &&
         !nb::isinstance<nb::dict>(value) &&
         (PySequence_Check(value.ptr()) || nb::hasattr(value, "tolist")) && !is_number(value);
}

[[noreturn]] void refuse(nb::handle value, ColumnType wanted) {
  const std::string type = nb::cast<std::string>(nb::str(value.type().attr("__name__")));
  throw FieldFault{
      fmt::format("got a Python {}, which cannot be read as {}; expected texts, numbers, truth "
                  "values or lists of them",
                  type, type_name(wanted))};
}

void append_value(nb::handle value, ColumnBuilder& builder) {
  put_object(
      value, builder.type(), [&](double number) { builder.add_number(number); },
      [&](uint64_t id) { builder.add_id(id); }, [&](const std::string& text) { builder.add_field(text); });
}

void append_list(nb::handle value, ColumnBuilder& builder) {
  const ColumnType wanted = builder.type() == ColumnType::IdList       ? ColumnType::Id
                            : builder.type() == ColumnType::NumberList ? ColumnType::Number
                                                                       : ColumnType::Text;
  const nb::object items = nb::hasattr(value, "tolist") ? value.attr("tolist")() : nb::borrow(value);
  for (const nb::handle item : items) {
    if (is_missing(item)) {
      if (wanted == ColumnType::Number) builder.add_item(std::nan(""));
      continue;
    }
    put_object(
        item, wanted, [&](double number) { builder.add_item(number); },
        [&](uint64_t id) { builder.add_item(id); },
        [&](const std::string& text) {
          if (wanted != ColumnType::Text) refuse(item, wanted);
          builder.add_item(std::string_view(text));
        });
  }
  builder.end_list();
}

}  // namespace gatewise

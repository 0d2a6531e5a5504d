#include "serving/request_tensor.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "serving/json_faults.h"
#include "serving/json_values.h"
#include "serving/raw_rows.h"
#include "serving/refusal.h"

namespace gatewise {
namespace {

using simdjson::dom::element;

constexpr std::string_view type_names[] = {"BOOL",  "UINT8", "UINT16", "UINT32", "UINT64", "INT8",
                                           "INT16", "INT32", "INT64",  "FP32",   "FP64",   "BYTES"};
constexpr size_t type_bytes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 4};  // of a text: of its length

constexpr int64_t most_elements = int64_t{1} << 31;

std::string_view type_name_of(TensorType type) { return type_names[static_cast<size_t>(type)]; }

template <class... Args>
[[noreturn]] void tensor_fault(const RequestTensor& tensor, fmt::format_string<Args...> format,
                               Args&&... args) {
  refuse(400, "inputs: \"{}\": {}", tensor.name.substr(0, 200),
         fmt::format(format, std::forward<Args>(args)...));
}

// visit(value) for elements of type T that lie side by side, perhaps not aligned.
template <class T, class Visit>
void each_binary(std::string_view bytes, const Visit& visit) {
  for (; !bytes.empty(); bytes.remove_prefix(sizeof(T))) {
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    visit(value);
  }
}

template <class Visit>
void each_binary_text(const RequestTensor& tensor, const Visit& visit) {
  std::string_view rest = tensor.binary;
  for (size_t i = 0; i < tensor.elements(); ++i) {
    uint32_t size = 0;
    if (rest.size() >= sizeof size) std::memcpy(&size, rest.data(), sizeof size);
    if (rest.size() < sizeof size || rest.size() - sizeof size < size)
      tensor_fault(tensor, "its {} bytes end within text {}", tensor.binary.size(), i + 1);
    visit(rest.substr(sizeof size, size));
    rest.remove_prefix(sizeof size + size);
  }
  if (!rest.empty()) tensor_fault(tensor, "has {} bytes behind its {} texts", rest.size(), tensor.elements());
}

template <class Visit>
void each_binary_element(const RequestTensor& tensor, const Visit& visit) {
  switch (tensor.type) {
    case TensorType::Bool:
      return each_binary<uint8_t>(tensor.binary, [&](uint8_t value) { visit(value != 0); });
    case TensorType::Uint8:
      return each_binary<uint8_t>(tensor.binary, [&](uint8_t value) { visit(uint64_t{value}); });
    case TensorType::Uint16:
      return each_binary<uint16_t>(tensor.binary, [&](uint16_t value) { visit(uint64_t{value}); });
    case TensorType::Uint32:
      return each_binary<uint32_t>(tensor.binary, [&](uint32_t value) { visit(uint64_t{value}); });
    case TensorType::Uint64:
      return each_binary<uint64_t>(tensor.binary, visit);
    case TensorType::Int8:
      return each_binary<int8_t>(tensor.binary, [&](int8_t value) { visit(int64_t{value}); });
    case TensorType::Int16:
      return each_binary<int16_t>(tensor.binary, [&](int16_t value) { visit(int64_t{value}); });
    case TensorType::Int32:
      return each_binary<int32_t>(tensor.binary, [&](int32_t value) { visit(int64_t{value}); });
    case TensorType::Int64:
      return each_binary<int64_t>(tensor.binary, visit);
    case TensorType::Fp32:
      return each_binary<float>(tensor.binary, [&](float value) { visit(double{value}); });
    case TensorType::Fp64:
      return each_binary<double>(tensor.binary, visit);
    case TensorType::Bytes:
      return each_binary_text(tensor, visit);
  }
}

bool is_signed(TensorType type) { return type >= TensorType::Int8 && type <= TensorType::Int64; }

// visit(value) for a number of JSON that the integer type of the tensor holds.
template <class Visit>
void visit_integer(const RequestTensor& tensor, element item, const Visit& visit) {
  const int bits = static_cast<int>(8 * type_bytes[static_cast<size_t>(tensor.type)]);
  int64_t number = 0;
  uint64_t positive = 0;
  if (is_signed(tensor.type) && item.get(number) == simdjson::SUCCESS) {
    const int64_t most = std::numeric_limits<int64_t>::max() >> (64 - bits);
    if (number <= most && number >= -most - 1) return visit(number);
  } else if (!is_signed(tensor.type) && item.get(positive) == simdjson::SUCCESS) {
    if (positive <= std::numeric_limits<uint64_t>::max() >> (64 - bits)) return visit(positive);
  }
  tensor_fault(tensor, "got {}, expected values of {}", simdjson::minify(item).substr(0, 100),
               type_name_of(tensor.type));
}

template <class Visit>
void visit_json(const RequestTensor& tensor, element item, const Visit& visit) {
  if (tensor.type == TensorType::Bytes && item.is_string()) return visit(json_value<std::string_view>(item));
  if (tensor.type == TensorType::Bool && item.is_bool()) return visit(json_value<bool>(item));
  if (tensor.type == TensorType::Fp32 || tensor.type == TensorType::Fp64) {
    double number = std::nan("");
    if (!item.is_null() && item.get(number) != simdjson::SUCCESS)
      tensor_fault(tensor, "got {}, expected numbers", simdjson::minify(item).substr(0, 100));
    // As the type holds it.
    return visit(tensor.type == TensorType::Fp32 ? double{static_cast<float>(number)} : number);
  }
  if (tensor.type == TensorType::Bytes || tensor.type == TensorType::Bool) {
    tensor_fault(tensor, "got {}, expected values of {}", simdjson::minify(item).substr(0, 100),
                 type_name_of(tensor.type));
  }
  visit_integer(tensor, item, visit);
}

// Nested lists are read in order; how they nest is not looked at, only how many elements there are.
template <class Visit>
void each_json_element(const RequestTensor& tensor, simdjson::dom::array list, const Visit& visit) {
  for (const element item : list) {
    if (item.is_array()) {
      each_json_element(tensor, json_array(item), visit);
    } else {
      visit_json(tensor, item, visit);
    }
  }
}

size_t json_elements(simdjson::dom::array list) {
  size_t count = 0;
  for (const element item : list) count += item.is_array() ? json_elements(json_array(item)) : 1;
  return count;
}

// convert(value, index) of every element into as many places.
template <class T, class Convert>
std::span<const T> converted(const RequestTensor& tensor, RequestMemory& memory, const Convert& convert) {
  // As many as there are: read_tensor() has compared their number with the shape.
  const std::span<T> to = memory.take<T>(tensor.elements());
  size_t at = 0;
  const auto put = [&](const auto& value) {
    new (&to[at]) T(convert(value, at));
    ++at;
  };
  if (tensor.is_binary) {
    each_binary_element(tensor, put);
  } else {
    each_json_element(tensor, tensor.data, put);
  }
  return to;
}

template <class Value>
constexpr bool is_text = std::is_same_v<Value, std::string_view>;

template <class Number>
auto number_reader(const RequestTensor& tensor) {
  return [&tensor](const auto& value, size_t) {
    if constexpr (is_text<std::decay_t<decltype(value)>>) {
      tensor_fault(tensor, "got BYTES, expected numbers");
      return Number{};
    } else {
      return static_cast<Number>(value);
    }
  };
}

template <class Id>
auto id_reader(const RequestTensor& tensor) {
  return [&tensor](const auto& value, size_t index) {
    using Value = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, uint64_t> || std::is_same_v<Value, int64_t>) {
      // As the text: negative ids have the bits of 64 with a sign.
      if constexpr (std::is_same_v<Id, uint64_t>) return static_cast<uint64_t>(value);
      if (!std::in_range<Id>(value)) tensor_fault(tensor, "value {} is {}, which is no id", index + 1, value);
      return static_cast<Id>(value);
    } else {
      tensor_fault(tensor, "got {}, expected ids of an integer type", type_name_of(tensor.type));
      return Id{};
    }
  };
}

void read_shape(RequestTensor& tensor, element shape) {
  if (!shape.is_array()) tensor_fault(tensor, "shape: expected a list of sizes");
  for (const element item : json_array(shape)) {
    int64_t size = 0;
    if (item.get(size) != simdjson::SUCCESS || size < 0 || size > most_elements) {
      tensor_fault(tensor, "shape: got {}, expected sizes of 0 to {}", simdjson::minify(item).substr(0, 100),
                   most_elements);
    }
    if (tensor.rank == 2)
      tensor_fault(tensor, "shape: got more than two axes, expected [rows] or [rows, values]");
    tensor.shape[tensor.rank++] = size;
  }
  if (tensor.rank == 0) tensor_fault(tensor, "shape: has no axis, expected [rows] or [rows, values]");
  if (tensor.elements() > most_elements)
    tensor_fault(tensor, "shape: {} has {} values, expected at most {}", tensor.shape_text(),
                 tensor.elements(), most_elements);
}

void read_type(RequestTensor& tensor, element datatype) {
  std::string_view name;
  if (datatype.get(name) != simdjson::SUCCESS) tensor_fault(tensor, "datatype: expected a text, as \"FP32\"");
  const auto* const found = std::find(std::begin(type_names), std::end(type_names), name);
  if (found == std::end(type_names)) {
    const char* advice = name == "FP16" || name == "BF16" ? "; send FP32" : "";
    tensor_fault(tensor, "datatype: \"{}\" is not supported{}; expected one of {}", name.substr(0, 20),
                 advice, fmt::join(type_names, ", "));
  }
  tensor.type = static_cast<TensorType>(found - std::begin(type_names));
}

// The bytes of the tensor, -1 where it has none behind the JSON.
int64_t binary_size(const RequestTensor& tensor, element parameters) {
  if (!parameters.is_object()) tensor_fault(tensor, "parameters: expected an object");
  check_given_once(json_object(parameters),
                   fmt::format("inputs: \"{}\": parameters", tensor.name.substr(0, 200)));
  int64_t size = -1;
  for (const simdjson::dom::key_value_pair parameter : json_object(parameters)) {
    if (parameter.key.starts_with("shared_memory")) {
      refuse(501, "inputs: \"{}\": shared memory is not offered; send the tensor as JSON or binary data",
             tensor.name.substr(0, 200));
    }
    if (parameter.key != "binary_data_size") continue;
    if (parameter.value.get(size) != simdjson::SUCCESS || size < 0)
      tensor_fault(tensor, "binary_data_size: expected a number of bytes");
  }
  return size;
}

void take_binary(RequestTensor& tensor, int64_t size, std::string_view& binary) {
  const auto bytes = static_cast<size_t>(size);
  if (bytes > binary.size()) {
    tensor_fault(tensor,
                 "binary_data_size: got {} bytes, but {} are left in the body behind the JSON; "
                 "Inference-Header-Content-Length says where that ends",
                 bytes, binary.size());
  }
  const size_t least = tensor.elements() * type_bytes[static_cast<size_t>(tensor.type)];
  if (tensor.type == TensorType::Bytes ? bytes < least : bytes != least) {
    tensor_fault(tensor, "binary_data_size: got {} bytes, expected {}{} for {} {}", bytes,
                 tensor.type == TensorType::Bytes ? "at least " : "", least, tensor.shape_text(),
                 type_name_of(tensor.type));
  }
  tensor.is_binary = true;
  tensor.binary = binary.substr(0, bytes);
  binary.remove_prefix(bytes);
}

}  // namespace

std::string RequestTensor::shape_text() const {
  return rank == 2 ? fmt::format("[{}, {}]", shape[0], shape[1]) : fmt::format("[{}]", shape[0]);
}

RequestTensor read_tensor(element input, std::string_view& binary) {
  if (!input.is_object()) refuse(400, "inputs: expected a list of objects, each a tensor");
  const simdjson::dom::object fields = json_object(input);
  check_given_once(fields, "inputs: a tensor");
  RequestTensor tensor;
  element shape, datatype, parameters, data;
  if (fields["name"].get(tensor.name) != simdjson::SUCCESS) refuse(400, "inputs: a tensor has no \"name\"");
  if (fields["shape"].get(shape) != simdjson::SUCCESS) tensor_fault(tensor, "has no \"shape\"");
  if (fields["datatype"].get(datatype) != simdjson::SUCCESS) tensor_fault(tensor, "has no \"datatype\"");
  read_shape(tensor, shape);
  read_type(tensor, datatype);
  const bool has_data = fields["data"].get(data) == simdjson::SUCCESS;
  int64_t size = -1;
  if (fields["parameters"].get(parameters) == simdjson::SUCCESS) size = binary_size(tensor, parameters);
  if (has_data == (size >= 0))
    tensor_fault(tensor, "expected either \"data\" or the parameter binary_data_size; got {}",
                 has_data ? "both" : "neither");
  if (has_data) {
    if (!data.is_array()) tensor_fault(tensor, "data: expected a list");
    tensor.data = json_array(data);
    // Before memory is taken for as many as the shape says.
    const size_t count = json_elements(tensor.data);
    if (count != tensor.elements())
      tensor_fault(tensor, "got {} values, expected {} for the shape {}", count, tensor.elements(),
                   tensor.shape_text());
  } else {
    take_binary(tensor, size, binary);
  }
  return tensor;
}

std::span<const float> tensor_floats(const RequestTensor& tensor, RequestMemory& memory) {
  const std::span<const float> values = converted<float>(tensor, memory, number_reader<float>(tensor));
  const auto fault =
      std::find_if_not(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  if (fault != values.end())
    tensor_fault(tensor, "value {} is not a finite number of 32 bits", fault - values.begin() + 1);
  return values;
}

std::span<const double> tensor_doubles(const RequestTensor& tensor, RequestMemory& memory) {
  return converted<double>(tensor, memory, number_reader<double>(tensor));
}

std::span<const uint32_t> tensor_ids(const RequestTensor& tensor, RequestMemory& memory) {
  return converted<uint32_t>(tensor, memory, id_reader<uint32_t>(tensor));
}

std::span<const uint64_t> tensor_long_ids(const RequestTensor& tensor, RequestMemory& memory) {
  return converted<uint64_t>(tensor, memory, id_reader<uint64_t>(tensor));
}

std::span<const std::string_view> tensor_texts(const RequestTensor& tensor, RequestMemory& memory) {
  return converted<std::string_view>(tensor, memory, [&](const auto& value, size_t) -> std::string_view {
    using Value = std::decay_t<decltype(value)>;
    if constexpr (is_text<Value>) {
      return value;
    } else if constexpr (std::is_same_v<Value, bool>) {
      return value ? "true" : "false";
    } else {
      return raw_digits(memory, value);
    }
  });
}

std::span<const RawValue> tensor_values(const RequestTensor& tensor, const RawColumn& column,
                                        RequestMemory& memory) {
  return converted<RawValue>(tensor, memory, [&](const auto& value, size_t) -> RawValue {
    using Value = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, int64_t>) {
      if (column.kind == RawKind::Id) return static_cast<uint64_t>(value);
      return raw_number(memory, value);
    } else if constexpr (std::is_same_v<Value, bool>) {
      if (column.kind == RawKind::Id) tensor_fault(tensor, "got BOOL, expected ids of an integer type");
      return raw_bool(column, value);
    } else {
      return value;
    }
  });
}

std::span<const int64_t> tensor_offsets(const RequestTensor& tensor, size_t items, RequestMemory& memory) {
  const std::span<const int64_t> offsets = converted<int64_t>(tensor, memory, id_reader<int64_t>(tensor));
  if (tensor.rank != 1 || offsets.empty() || offsets.front() != 0 ||
      offsets.back() != static_cast<int64_t>(items) || !std::is_sorted(offsets.begin(), offsets.end())) {
    tensor_fault(tensor, "expected [rows + 1] ascending places from 0 to the {} values of the lists", items);
  }
  return offsets;
}

}  // namespace gatewise

// Tensors of the Open Inference Protocol as requests bring them: JSON, nested or flat, or binary
// (little-endian, texts each behind their length in four bytes).
#pragma once

#include <simdjson.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "serving/request_memory.h"
#include "serving/served_model.h"

namespace gatewise {

enum class TensorType : uint8_t {
  Bool,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Int8,
  Int16,
  Int32,
  Int64,
  Fp32,
  Fp64,
  Bytes
};

struct RequestTensor {
  std::string_view name;
  TensorType type = TensorType::Fp32;
  std::array<int64_t, 2> shape{};
  size_t rank = 0;
  bool is_binary = false;
  std::string_view binary;    // its bytes
  simdjson::dom::array data;  // otherwise

  size_t elements() const {
    return static_cast<size_t>(shape[0]) * (rank == 2 ? static_cast<size_t>(shape[1]) : 1);
  }
  std::string shape_text() const;
};

// One of "inputs". Takes its bytes from the beginning of `binary`. Throws Refusal(400) naming the tensor for
// an unknown type, a shape that is none or does not fit the number of bytes, 501 for shared memory.
RequestTensor read_tensor(simdjson::dom::element input, std::string_view& binary);

// Elements in order, as another type, in the memory of the request. Throw Refusal(400) naming the tensor when
// one is of a wrong type or out of range.
std::span<const float> tensor_floats(const RequestTensor& tensor, RequestMemory& memory);    // finite
std::span<const double> tensor_doubles(const RequestTensor& tensor, RequestMemory& memory);  // null: NaN
std::span<const uint32_t> tensor_ids(const RequestTensor& tensor, RequestMemory& memory);
std::span<const uint64_t> tensor_long_ids(const RequestTensor& tensor, RequestMemory& memory);
std::span<const std::string_view> tensor_texts(const RequestTensor& tensor, RequestMemory& memory);
std::span<const RawValue> tensor_values(const RequestTensor& tensor, const RawColumn& column,
                                        RequestMemory& memory);
// Where the list of each row begins in `items` items: [rows + 1], from 0 to `items`.
std::span<const int64_t> tensor_offsets(const RequestTensor& tensor, size_t items, RequestMemory& memory);

}  // namespace gatewise

// What writer and reader of tensor files agree on; internal to model_file.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace gatewise {

inline constexpr std::string_view metadata_key = "__metadata__";
inline constexpr std::string_view seal_key = "crc32";
// A sealed header begins with this, the eight digits of the checksum and a quote.
inline constexpr std::string_view seal_prefix = R"({"__metadata__":{"crc32":")";

// Bytes of an element; 0 for an unknown type.
inline int64_t element_bytes(std::string_view dtype) {
  constexpr std::pair<std::string_view, int64_t> types[] = {{"F32", 4}, {"F64", 8}, {"I64", 8}, {"U64", 8},
                                                            {"I32", 4}, {"U32", 4}, {"U8", 1}};
  for (const auto& [name, bytes] : types) {
    if (name == dtype) return bytes;
  }
  return 0;
}

// Bytes of a tensor; nothing when a size is negative or the product overflows.
inline std::optional<int64_t> tensor_bytes(std::string_view dtype, const std::vector<int64_t>& shape) {
  int64_t product = element_bytes(dtype);
  for (const int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(product, size, &product)) return std::nullopt;
  }
  return product;
}

}  // namespace gatewise

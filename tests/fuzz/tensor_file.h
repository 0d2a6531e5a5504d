// Tensor files out of a header and data, with the right length and the right seal: what is behind these
// checks is reached too.
#pragma once

#include <string>
#include <string_view>

#include "model_file/checksum.h"

namespace gatewise {

// The bytes of a file with this header; a seal in it is made to fit.
inline std::string tensor_file_bytes(std::string_view header, std::string_view data) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  bytes += header;
  bytes += data;
  constexpr std::string_view before_seal = R"({"__metadata__":{"crc32":")";
  const size_t digits = 8 + before_seal.size();
  if (!header.starts_with(before_seal) || bytes.size() < digits + unsealed_digits.size()) return bytes;
  bytes.replace(digits, unsealed_digits.size(), unsealed_digits);
  Checksum seal;
  seal.add(bytes);
  return bytes.replace(digits, unsealed_digits.size(), seal.text());
}

// Header and data of a whole file.
inline std::pair<std::string, std::string> tensor_file_parts(const std::string& bytes) {
  size_t length = 0;
  for (size_t i = 0; i < 8; ++i)
    length |= static_cast<size_t>(static_cast<unsigned char>(bytes.at(i))) << (8 * i);
  return {bytes.substr(8, length), bytes.substr(8 + length)};
}

}  // namespace gatewise

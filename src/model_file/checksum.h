// Checksums of files: CRC-32, which finds every flipped byte and every damage of up to 32 bits in a row.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gatewise {

class Checksum {
 public:
  void add(std::string_view bytes);
  uint32_t value() const { return value_; }
  // Eight lower-case hexadecimal digits.
  std::string text() const;

 private:
  uint32_t value_ = 0;
};

// A seal: text that holds the checksum of the whole file it begins. While the checksum is taken, its digits
// are zeros.
inline constexpr std::string_view unsealed_digits = "00000000";

// What is known of a file that has been written.
struct WrittenFile {
  uint64_t bytes = 0;
  std::string checksum;
};

// Writes `content` as AtomicFile does.
WrittenFile write_file(const std::string& path, std::string_view content);

}  // namespace gatewise

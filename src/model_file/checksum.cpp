#include "model_file/checksum.h"

#include <fmt/format.h>
#include <zlib.h>

#include "base/atomic_file.h"

namespace gatewise {

void Checksum::add(std::string_view bytes) {
  value_ =
      static_cast<uint32_t>(::crc32_z(value_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::string Checksum::text() const { return fmt::format("{:08x}", value_); }

WrittenFile write_file(const std::string& path, std::string_view content) {
  write_file_atomically(path, content);
  Checksum checksum;
  checksum.add(content);
  return {content.size(), checksum.text()};
}

}  // namespace gatewise

// Bytes of a file, decompressed on the way.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace gatewise {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills up to `size` bytes and returns how many; 0 only at the end. Throws Error(Data) naming the file.
  virtual int64_t read(char* bytes, int64_t size) = 0;
};

enum class FileFormat { Plain, Gzip, Xz, Zstd, Parquet };

// By the first bytes of the file. Throws Error(Data) when the file cannot be read, or when its name ends in
// .gz, .xz, .zst or .parquet and its content is something else.
FileFormat detect_format(const std::string& path);

// Opens a file of any format but Parquet. Throws Error(Data).
std::unique_ptr<ByteSource> open_bytes(const std::string& path);

}  // namespace gatewise

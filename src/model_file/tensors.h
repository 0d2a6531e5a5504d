// Named arrays in one file: the safetensors format. Eight bytes hold the header's length (little-endian); the
// header is JSON {name: {dtype, shape, data_offsets: [begin, end]}, __metadata__: {text: text}}; the rest is
// the arrays' bytes, row-major and little-endian, without gaps. Specification:
// github.com/huggingface/safetensors.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model_file/checksum.h"
#include "model_file/mapped_file.h"

namespace gatewise {

// An array to write; the caller keeps the memory.
struct NamedTensor {
  std::string name;
  std::string dtype;           // F32, F64, I64, U64, I32, U32, U8
  std::vector<int64_t> shape;  // [] is one value
  const void* data = nullptr;
  int64_t row_stride = 0;  // elements from one row of the last axis to the next; 0: no gaps
};

using TensorMetadata = std::map<std::string, std::string>;

// Writes as AtomicFile does, straight from the tensors' memory. In the file wider types come first, otherwise
// the order stays. Throws Error(Data) when the file cannot be written or a name is not UTF-8.
WrittenFile write_tensors(const std::string& path, std::span<const NamedTensor> tensors,
                          const TensorMetadata& metadata);
// The same with a checksum of the whole file in the metadata ("crc32"), which TensorFile then checks.
void write_sealed_tensors(const std::string& path, std::span<const NamedTensor> tensors,
                          const TensorMetadata& metadata);

template <class T>
struct TensorType;
template <>
struct TensorType<float> {
  static constexpr std::string_view name = "F32";
};
template <>
struct TensorType<double> {
  static constexpr std::string_view name = "F64";
};
template <>
struct TensorType<int64_t> {
  static constexpr std::string_view name = "I64";
};
template <>
struct TensorType<uint64_t> {
  static constexpr std::string_view name = "U64";
};
template <>
struct TensorType<int32_t> {
  static constexpr std::string_view name = "I32";
};
template <>
struct TensorType<uint32_t> {
  static constexpr std::string_view name = "U32";
};
template <>
struct TensorType<uint8_t> {
  static constexpr std::string_view name = "U8";
};

// A tensor file, mapped into memory and checked whole: header, types, sizes, places, and its seal if it has
// one.
class TensorFile {
 public:
  struct Entry {
    std::string dtype;
    std::vector<int64_t> shape;
    std::string_view bytes;  // aligned to the type
  };

  // Throws Error(Data) "<path>: what is wrong; what to do".
  explicit TensorFile(const std::string& path) : TensorFile(MappedFile(path)) {}
  explicit TensorFile(MappedFile file);

  const std::string& path() const { return file_.path(); }
  // Without the seal.
  const TensorMetadata& metadata() const { return metadata_; }
  bool is_sealed() const { return is_sealed_; }
  // In the order of their data.
  const std::vector<std::string>& names() const { return names_; }
  bool contains(const std::string& name) const { return entries_.count(name) > 0; }
  const Entry& entry(const std::string& name) const;

  // The values of a tensor that must have this type and shape; valid as long as this object. Throws
  // Error(Data).
  template <class T>
  std::span<const T> get(const std::string& name, const std::vector<int64_t>& shape) const {
    const Entry& found = checked(name, TensorType<T>::name, shape);
    return {reinterpret_cast<const T*>(found.bytes.data()), found.bytes.size() / sizeof(T)};
  }

 private:
  const Entry& checked(const std::string& name, std::string_view dtype,
                       const std::vector<int64_t>& shape) const;
  void check_seal(std::string_view header);

  MappedFile file_;
  TensorMetadata metadata_;
  bool is_sealed_ = false;
  std::vector<std::string> names_;
  std::map<std::string, Entry> entries_;
  std::vector<std::vector<uint64_t>> copies_;  // of tensors that the file has at odd places
};

}  // namespace gatewise

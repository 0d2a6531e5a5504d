#include <algorithm>
#include <bit>
#include <set>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"
#include "model_file/tensor_types.h"
#include "model_file/tensors.h"

namespace gatewise {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor files are little-endian");

// Checked, wider types first, so that every array lies at a multiple of its element's size.
std::vector<const NamedTensor*> in_file_order(std::span<const NamedTensor> tensors) {
  std::vector<const NamedTensor*> order;
  std::set<std::string> names;
  for (const NamedTensor& tensor : tensors) {
    if (element_bytes(tensor.dtype) == 0) {
      internal_error("tensor \"{}\": unknown type {}", tensor.name, tensor.dtype);
    }
    if (!tensor_bytes(tensor.dtype, tensor.shape))
      internal_error("tensor \"{}\": no such shape", tensor.name);
    if (tensor.row_stride != 0 && (tensor.shape.empty() || tensor.row_stride < tensor.shape.back())) {
      internal_error("tensor \"{}\": row stride {} is too short", tensor.name, tensor.row_stride);
    }
    if (tensor.name == metadata_key || !names.insert(tensor.name).second) {
      internal_error("tensor \"{}\": the name is taken", tensor.name);
    }
    order.push_back(&tensor);
  }
  std::stable_sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return element_bytes(a->dtype) > element_bytes(b->dtype);
  });
  return order;
}

// Header's length and header, padded to a multiple of eight bytes.
std::string header_of(const std::string& path, const std::vector<const NamedTensor*>& order,
                      const TensorMetadata& metadata, bool is_sealed) {
  if (metadata.count(std::string(seal_key)) > 0)
    internal_error("metadata \"{}\": the name is taken", seal_key);
  Json header = Json::object();
  if (is_sealed) header[std::string(metadata_key)][std::string(seal_key)] = unsealed_digits;
  for (const auto& [key, value] : metadata) header[std::string(metadata_key)][key] = value;
  int64_t begin = 0;
  for (const NamedTensor* tensor : order) {
    const int64_t end = begin + *tensor_bytes(tensor->dtype, tensor->shape);
    header[tensor->name] = {
        {"dtype", tensor->dtype}, {"shape", tensor->shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception&) {
    data_error("{}: cannot be written; a name in it is not valid UTF-8; convert it to UTF-8", path);
  }
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(text.size() >> (8 * i) & 0xff);
  return bytes + text;
}

// Calls emit(bytes) for the stretches of the tensor's memory, in order.
template <class Emit>
void walk(const NamedTensor& tensor, const Emit& emit) {
  const auto* data = static_cast<const char*>(tensor.data);
  const int64_t bytes = *tensor_bytes(tensor.dtype, tensor.shape);
  if (bytes == 0) return;
  if (tensor.row_stride == 0 || tensor.row_stride == tensor.shape.back()) {
    emit(std::string_view(data, static_cast<size_t>(bytes)));
    return;
  }
  const int64_t row_bytes = tensor.shape.back() * element_bytes(tensor.dtype);
  const int64_t stride_bytes = tensor.row_stride * element_bytes(tensor.dtype);
  for (int64_t row = 0; row < bytes / row_bytes; ++row) {
    emit(std::string_view(data + row * stride_bytes, static_cast<size_t>(row_bytes)));
  }
}

}  // namespace

WrittenFile write_tensors(const std::string& path, std::span<const NamedTensor> tensors,
                          const TensorMetadata& metadata) {
  const std::vector<const NamedTensor*> order = in_file_order(tensors);
  const std::string header = header_of(path, order, metadata, false);
  AtomicFile file(path);
  Checksum checksum;
  uint64_t written = 0;
  const auto emit = [&](std::string_view bytes) {
    file.write(bytes);
    checksum.add(bytes);
    written += bytes.size();
  };
  emit(header);
  for (const NamedTensor* tensor : order) walk(*tensor, emit);
  file.commit();
  return {written, checksum.text()};
}

void write_sealed_tensors(const std::string& path, std::span<const NamedTensor> tensors,
                          const TensorMetadata& metadata) {
  const std::vector<const NamedTensor*> order = in_file_order(tensors);
  std::string header = header_of(path, order, metadata, true);
  Checksum seal;
  seal.add(header);
  for (const NamedTensor* tensor : order) walk(*tensor, [&](std::string_view bytes) { seal.add(bytes); });
  header.replace(8 + seal_prefix.size(), unsealed_digits.size(), seal.text());
  AtomicFile file(path);
  file.write(header);
  for (const NamedTensor* tensor : order) walk(*tensor, [&](std::string_view bytes) { file.write(bytes); });
  file.commit();
}

}  // namespace gatewise

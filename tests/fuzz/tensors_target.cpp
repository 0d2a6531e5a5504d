// Tensor files: a whole file, or its header and its data as two parts.
#include "model_file/tensors.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/tensor_file.h"

namespace gatewise {
namespace {

void read_tensor_file(std::string_view input) {
  const std::vector<std::string> parts = fuzz_parts(input);
  const MemoryFile file(parts.size() == 1 ? parts[0] : tensor_file_bytes(parts[0], parts[1]));
  const TensorFile tensors(file.path());
  size_t sum = 0;
  for (const std::string& name : tensors.names()) {
    const TensorFile::Entry& entry = tensors.entry(name);
    for (const char byte : entry.bytes) sum += static_cast<unsigned char>(byte);
    if (entry.dtype == "F64") {
      for (const double value : tensors.get<double>(name, entry.shape)) sum += value > 0 ? 1 : 0;
    }
  }
  fuzz_require(sum != ~size_t{0} && tensors.metadata().size() < 100000, "unreachable");
  tensors.get<float>("weight", {2, 2});
}

std::vector<std::string> tensor_files() {
  const std::string plain =
      R"({"weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"n":{"dtype":"U8","shape":[],"data_offsets":[16,17]}})";
  const std::string sealed =
      R"({"__metadata__":{"crc32":"00000000","format":"x"},"weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})";
  const std::string data = "0123456789abcdef";
  return {plain + "\n====\n" + data + "g", sealed + "\n====\n" + data, tensor_file_bytes(plain, data + "g"),
          tensor_file_bytes(sealed, data)};
}

std::vector<std::string> tensor_words() {
  return {"F32",          "F64",   "I64",   "U64",   "I32",   "U32",  "U8",           "BF16",  "weight",
          "__metadata__", "crc32", "dtype", "shape", "[1,0]", "[-1]", "data_offsets", "[0,0]", "{}"};
}

const RegisterFuzzTarget tensors_registered{"tensors", {read_tensor_file, tensor_files, tensor_words, 3000}};

}  // namespace
}  // namespace gatewise

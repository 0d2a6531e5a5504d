#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/json.h"
#include "base/read_json.h"
#include "model_file/tensor_types.h"
#include "model_file/tensors.h"

namespace gatewise {
namespace {

constexpr uint64_t header_limit = 100'000'000;  // as other readers of the format

[[noreturn]] void damaged(const std::string& path, const std::string& what) {
  data_error("{}: not a whole tensor file; {}; make the file again or take a copy of it", path, what);
}

std::string shape_text(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

// The header without its length.
std::string_view header_of(const MappedFile& file) {
  const std::string_view bytes = file.bytes();
  if (bytes.size() < 8) damaged(file.path(), fmt::format("got {} bytes, expected at least 8", bytes.size()));
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  if (length > header_limit || length > bytes.size() - 8) {
    damaged(
        file.path(),
        fmt::format("got a header of {} bytes in a file of {}, expected one that fits in and has at most {}",
                    length, bytes.size(), header_limit));
  }
  return bytes.substr(8, length);
}

int64_t whole_number(const Json& value) {
  const bool fits =
      value.is_number_unsigned() ? value.get<uint64_t>() < uint64_t{1} << 63 : value.is_number_integer();
  if (!fits) throw std::out_of_range("got " + value.dump() + ", expected a whole number");
  return value.get<int64_t>();
}

// A tensor as the header says, its place not yet compared with the others'.
struct Claim {
  std::string name;
  TensorFile::Entry entry;
  int64_t begin = 0, end = 0;
};

Claim read_claim(const std::string& path, const std::string& name, const Json& json) {
  Claim claim{name, {}, 0, 0};
  try {
    claim.entry.dtype = json.at("dtype").get<std::string>();
    if (!json.at("shape").is_array()) throw std::invalid_argument("its shape is no list");
    for (const Json& size : json.at("shape")) claim.entry.shape.push_back(whole_number(size));
    claim.begin = whole_number(json.at("data_offsets").at(0));
    claim.end = whole_number(json.at("data_offsets").at(1));
  } catch (const std::exception& error) {
    damaged(path, fmt::format("the header of tensor \"{}\" makes no sense ({})", name, error.what()));
  }
  if (element_bytes(claim.entry.dtype) == 0) {
    data_error("{}: tensor \"{}\" has type {}, expected F32, F64, I64, U64, I32, U32 or U8; convert it", path,
               name, claim.entry.dtype);
  }
  const std::optional<int64_t> bytes = tensor_bytes(claim.entry.dtype, claim.entry.shape);
  if (!bytes || claim.begin < 0 || claim.end < claim.begin || claim.end - claim.begin != *bytes) {
    damaged(path, fmt::format("tensor \"{}\" of shape {} and type {} cannot be bytes {} to {}", name,
                              shape_text(claim.entry.shape), claim.entry.dtype, claim.begin, claim.end));
  }
  return claim;
}

}  // namespace

TensorFile::TensorFile(MappedFile file) : file_(std::move(file)) {
  const std::string_view text = header_of(file_);
  check_seal(text);
  std::string fault;
  const std::optional<Json> parsed = read_json(text, fault);
  if (!parsed || !parsed->is_object())
    damaged(path(), "its header is not JSON" + (fault.empty() ? "" : " (" + fault + ")"));
  const Json& header = *parsed;
  std::vector<Claim> claims;
  for (const auto& [name, value] : header.items()) {
    if (name != metadata_key) {
      claims.push_back(read_claim(path(), name, value));
      continue;
    }
    if (!value.is_object()) damaged(path(), "its metadata is not an object");
    for (const auto& [key, note] : value.items()) {
      if (!note.is_string()) damaged(path(), fmt::format("metadata \"{}\" is not a text", key));
      if (key != seal_key || !is_sealed_) metadata_[key] = note.get<std::string>();
    }
  }
  std::stable_sort(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  const std::string_view data = file_.bytes().substr(8 + text.size());
  int64_t filled = 0;
  for (Claim& claim : claims) {
    if (claim.begin != filled || claim.end > static_cast<int64_t>(data.size())) {
      damaged(path(),
              fmt::format("tensor \"{}\" is at bytes {} to {}, expected it to begin at {} and to end by {}",
                          claim.name, claim.begin, claim.end, filled, data.size()));
    }
    filled = claim.end;
    std::string_view bytes = data.substr(claim.begin, claim.end - claim.begin);
    if (reinterpret_cast<uintptr_t>(bytes.data()) % element_bytes(claim.entry.dtype) != 0) {
      std::vector<uint64_t>& copy = copies_.emplace_back(bytes.size() / 8 + 1);
      std::memcpy(copy.data(), bytes.data(), bytes.size());
      bytes = {reinterpret_cast<const char*>(copy.data()), bytes.size()};
    }
    claim.entry.bytes = bytes;
    names_.push_back(claim.name);
    entries_.emplace(claim.name, std::move(claim.entry));
  }
  if (filled != static_cast<int64_t>(data.size())) {
    damaged(path(), fmt::format("got {} bytes of data, expected {}", data.size(), filled));
  }
}

void TensorFile::check_seal(std::string_view header) {
  is_sealed_ =
      header.starts_with(seal_prefix) && header.size() >= seal_prefix.size() + unsealed_digits.size();
  if (!is_sealed_) return;
  const std::string_view bytes = file_.bytes();
  const size_t digits = 8 + seal_prefix.size();
  Checksum found;
  found.add(bytes.substr(0, digits));
  found.add(unsealed_digits);
  found.add(bytes.substr(digits + unsealed_digits.size()));
  const std::string_view expected = bytes.substr(digits, unsealed_digits.size());
  if (found.text() != expected) {
    damaged(path(), fmt::format("its checksum is {}, expected {}", found.text(), expected));
  }
}

const TensorFile::Entry& TensorFile::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    data_error("{}: has no tensor \"{}\".{}", path(), name, suggestion(name, names_));
  }
  return found->second;
}

const TensorFile::Entry& TensorFile::checked(const std::string& name, std::string_view dtype,
                                             const std::vector<int64_t>& shape) const {
  const Entry& found = entry(name);
  if (found.dtype != dtype || found.shape != shape) {
    data_error(
        "{}: tensor \"{}\" does not fit; got {} {}, expected {} {}; take the file that belongs to the model",
        path(), name, found.dtype, shape_text(found.shape), dtype, shape_text(shape));
  }
  return found;
}

}  // namespace gatewise

#include "model_file/checkpoint.h"

#include "base/error.h"
#include "base/read_json.h"

namespace gatewise {
namespace {

constexpr const char* state_name = "state";
constexpr const char* checkpoint_format = "gatewise_checkpoint";
constexpr const char* checkpoint_version = "1";
constexpr const char* start_over = "delete it to start over";

TensorFile open(const std::string& path) {
  MappedFile file(path);
  try {
    return TensorFile(std::move(file));
  } catch (const Error& fault) {
    data_error("{}: the checkpoint is damaged ({}); {}", path, fault.what(), start_over);
  }
}

}  // namespace

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  const std::vector<uint8_t> state = Json::to_cbor(checkpoint.state);
  std::vector<NamedTensor> tensors = checkpoint.tensors;
  tensors.push_back({state_name, "U8", {static_cast<int64_t>(state.size())}, state.data()});
  write_sealed_tensors(path, tensors, {{"format", checkpoint_format}, {"version", checkpoint_version}});
}

LoadedCheckpoint load_checkpoint(const std::string& path) {
  LoadedCheckpoint loaded{Json(), open(path)};
  const TensorMetadata& metadata = loaded.tensors.metadata();
  const auto format = metadata.find("format"), version = metadata.find("version");
  if (!loaded.tensors.is_sealed() || format == metadata.end() || format->second != checkpoint_format ||
      version == metadata.end() || !loaded.tensors.contains(state_name)) {
    data_error("{}: is no checkpoint or a damaged one; give another path, or {}", path, start_over);
  }
  if (version->second != checkpoint_version) {
    data_error("{}: the checkpoint has format {}, Gatewise {} reads format {}; use a later Gatewise, or {}",
               path, version->second, GATEWISE_VERSION, checkpoint_version, start_over);
  }
  const std::string_view bytes = loaded.tensors.entry(state_name).bytes;
  std::string fault;
  std::optional<Json> state = read_cbor(bytes, fault);
  if (!state) data_error("{}: the state cannot be read ({}); {}", path, fault, start_over);
  loaded.state = std::move(*state);
  return loaded;
}

}  // namespace gatewise

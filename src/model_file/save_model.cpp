#include <filesystem>

#include "base/atomic_directory.h"
#include "base/error.h"
#include "base/toml.h"
#include "engine/finite_weights.h"
#include "model_file/manifest.h"
#include "model_file/model_directory.h"
#include "model_file/tensors.h"

namespace gatewise {
namespace {

std::string json_text(const Json& json, const std::string& name, int indent) {
  try {
    return json.dump(indent) + "\n";
  } catch (const Json::exception&) {
    data_error("{}: cannot be written; a text in it is not valid UTF-8; convert the table to UTF-8", name);
  }
}

// A file name of at most a few dozen plain characters; the number in front keeps it unique.
std::string vocabulary_file(size_t number, const std::string& table) {
  std::string safe;
  for (const char c : table.substr(0, 40)) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    safe += is_plain ? c : '_';
  }
  return fmt::format("vocabularies/{}_{}.txt", number, safe);
}

// Every path of the store where it lies.
std::vector<NamedTensor> tensors_of(const Store<float>& store) {
  std::vector<NamedTensor> tensors;
  for (const PathBlock& block : store.layout().blocks) {
    const float* begin =
        block.place < 0 ? store.states().data() : store.at(store.layout().places[block.place]);
    const bool is_plain = block.rows == 1 || block.row_stride == block.columns;
    tensors.push_back(
        {block.path, "F32", block.shape.sizes, begin + block.offset, is_plain ? 0 : block.row_stride});
  }
  return tensors;
}

std::string configuration_text(const Json& configuration) {
  const std::string head = fmt::format(
      "# The configuration of a model saved by Gatewise {} (format {}). For people: the model runs from the "
      "other "
      "files.\n",
      gatewise_version(), model_format);
  const std::string toml = to_toml(configuration.is_null() ? Json::object() : configuration);
  return toml.empty() ? head : head + "\n" + toml;
}

}  // namespace

void save_model(const std::string& directory, const ModelParts& parts) {
  if (&parts.store.graph() != &parts.graph)
    internal_error("{}: the store belongs to another graph", directory);
  refuse_to_replace(directory);
  // What load_model() would refuse must not replace a model that it reads.
  if (const auto found = find_not_finite(parts.store)) {
    data_error("{}: not saved; parameter \"{}\" has the value {}, expected finite numbers; train it again",
               directory, found->path, found->value);
  }
  AtomicDirectory place(directory);
  Manifest manifest;
  manifest.version = gatewise_version();
  const auto path_of = [&](const std::string& name) { return place.temporary_path() + "/" + name; };
  const auto write = [&](const std::string& name, const std::string& content) {
    manifest.files[name] = write_file(path_of(name), content);
  };
  write("graph.json", json_text(parts.graph.to_json(), "graph.json", 1));
  write("model.toml", configuration_text(parts.configuration));
  write("history.json", json_text(parts.history, "history.json", 2));
  write("metrics.json", json_text(parts.metrics, "metrics.json", 2));
  if (!parts.examples.is_null()) write("examples.json", json_text(parts.examples, "examples.json", 1));
  manifest.files["weights.safetensors"] = write_tensors(
      path_of("weights.safetensors"), tensors_of(parts.store), {{"format", "gatewise_weights"}});
  if (parts.encoder != nullptr) {
    write("encoder.json", json_text(parts.encoder->to_json(), "encoder.json", 1));
    place.make_folder("vocabularies");
    for (const auto& [table, levels] : parts.encoder->vocabularies()) {
      const std::string name = vocabulary_file(manifest.vocabularies.size(), table);
      write(name, levels);
      manifest.vocabularies[table] = name;
    }
  }
  write_file(path_of("manifest.json"), manifest.text());
  place.commit();
}

}  // namespace gatewise

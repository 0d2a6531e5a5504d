#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/read_json.h"
#include "base/toml.h"
#include "model_file/manifest.h"
#include "model_file/model_directory.h"
#include "model_file/model_fit.h"
#include "model_file/tensors.h"

namespace gatewise {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& directory)
      : directory_(directory),
        manifest_(read_manifest(directory)),
        files_(open_files(directory, manifest_)) {}

  LoadedModel read() {
    LoadedModel model;
    model.version = manifest_.version;
    model.graph =
        within<std::unique_ptr<Graph>>("graph.json", [&] { return Graph::from_json(json("graph.json")); });
    const TensorFile weights(std::move(file("weights.safetensors")));
    check_weights(*model.graph, weights);
    model.store = std::make_unique<Store<float>>(*model.graph);
    read_weights(*model.store, weights);
    if (files_.count("encoder.json") > 0) {
      model.encoder = within<Encoder>("encoder.json", [&] { return read_encoder(); });
      within<bool>("graph.json", [&] {
        require_model_fit(*model.graph, model.encoder->space());
        return true;
      });
    }
    model.configuration = within<Json>(
        "model.toml", [&] { return parse_toml(file("model.toml").bytes(), path("model.toml")); });
    model.history = json("history.json");
    model.metrics = json("metrics.json");
    if (files_.count("examples.json") > 0) model.examples = json("examples.json");
    return model;
  }

 private:
  std::string path(const std::string& name) const {
    return (std::filesystem::path(directory_) / name).string();
  }

  MappedFile& file(const std::string& name) {
    const auto found = files_.find(name);
    if (found == files_.end()) {
      data_error("{}: is not listed in manifest.json, but a model needs it; take a whole copy of the model",
                 path(name));
    }
    return found->second;
  }

  Json json(const std::string& name) {
    std::string fault;
    std::optional<Json> parsed = read_json(file(name).bytes(), fault);
    if (!parsed) data_error("{}: is not JSON; {}; take a whole copy of the model", path(name), fault);
    return std::move(*parsed);
  }

  // What is wrong in a file of a model is the model's fault and named with the file.
  template <class Result, class Action>
  Result within(const std::string& name, const Action& action) const {
    try {
      return action();
    } catch (const Error& fault) {
      const std::string message = fault.what();
      throw Error(Fault::Data, message.starts_with(path(name)) ? message : path(name) + ": " + message);
    }
  }

  // Before memory is taken: the graph may claim any size, the file has its own.
  static void check_weights(const Graph& graph, const TensorFile& tensors) {
    const Layout layout(graph);
    for (const PathBlock& block : layout.blocks) {
      for (const float value : tensors.get<float>(block.path, block.shape.sizes)) {
        if (std::isfinite(value)) continue;
        data_error(
            "{}: tensor \"{}\" has the value {}, expected finite numbers; train or export the model again",
            tensors.path(), block.path, value);
      }
    }
    if (tensors.names().size() != layout.blocks.size()) {
      data_error("{}: got {} arrays, expected the {} of graph.json; take a whole copy of the model",
                 tensors.path(), tensors.names().size(), layout.blocks.size());
    }
  }

  static void read_weights(Store<float>& store, const TensorFile& tensors) {
    for (const PathBlock& block : store.layout().blocks) {
      const std::span<const float> values = tensors.get<float>(block.path, block.shape.sizes);
      float* to = (block.place < 0 ? store.states().data() : store.at(store.layout().places[block.place])) +
                  block.offset;
      for (int64_t row = 0; row < block.rows; ++row) {
        std::copy_n(values.data() + row * block.columns, block.columns, to + row * block.row_stride);
      }
    }
  }

  Encoder read_encoder() {
    std::map<std::string, std::string> levels;
    for (const auto& [table, name] : manifest_.vocabularies) levels[table] = file(name).bytes();
    return Encoder::from_json(json("encoder.json"), levels);
  }

  std::string directory_;
  Manifest manifest_;
  std::map<std::string, MappedFile> files_;
};

}  // namespace

LoadedModel load_model(const std::string& directory) { return Reader(directory).read(); }

}  // namespace gatewise

// Model directories: one file of a good model is exchanged, under a manifest that fits, and what loads has to
// score.
#include "base/error.h"
#include "model_file/manifest.h"
#include "scoring/predictor.h"
#include "tests/fuzz/saved_sample.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/tensor_file.h"

namespace gatewise {
namespace {

constexpr const char* weights_name = "weights.safetensors";

// Scores the rows of the sample as texts.
void score_sample(const LoadedModel& model) {
  const FeatureSpace* space = model.encoder ? &model.encoder->space() : nullptr;
  const auto predictor = std::make_shared<const Predictor>(*model.graph, *model.store, space);
  if (!model.encoder) return;
  const RowEncoder rows(*model.encoder);
  static const auto fields = fields_of(every_kind_csv);
  std::vector<RawValue> values;
  for (const auto& row : fields) {
    for (const std::string& column : rows.columns()) {
      const auto found = row.find(column);
      values.push_back(found == row.end() ? RawValue() : std::string_view(found->second));
    }
  }
  EncodedData encoded;
  const auto count = static_cast<int64_t>(fields.size());
  rows.encode(values, count, encoded);
  PredictionRun run(predictor);
  std::vector<float> predictions(static_cast<size_t>(count * predictor->width()));
  run.predict(encoded, 0, count, predictions.data());
}

// The files of a model; each input exchanges one of them.
class Directory {
 public:
  Directory() : manifest_(read_manifest(saved_.path())) {
    for (const auto& [name, facts] : manifest_.files) names_.push_back(name);
  }

  const std::vector<std::string>& names() const { return names_; }
  std::string content(const std::string& name) const { return content_of(saved_.file(name)); }

  void load_with(const std::string& name, const std::string& content) const {
    Manifest manifest = manifest_;
    Checksum checksum;
    checksum.add(content);
    manifest.files[name] = {content.size(), checksum.text()};
    const std::string before = this->content(name);
    saved_.write(name, content);
    saved_.write("manifest.json", manifest.text());
    try {
      score_sample(load_model(saved_.path()));
    } catch (...) {
      saved_.write(name, before);
      throw;
    }
    saved_.write(name, before);
  }

  // `text` is JSON; its seal is made to fit.
  void load_manifest(std::string text) const {
    constexpr std::string_view start = "{\n  \"crc32\": \"";
    if (Json json = Json::parse(text, nullptr, false); json.is_object()) {
      Json sealed{{"crc32", unsealed_digits}};
      for (const auto& [key, value] : json.items()) {
        if (key != "crc32") sealed[key] = value;
      }
      text = sealed.dump(2, ' ', false, Json::error_handler_t::replace);
      Checksum checksum;
      checksum.add(text);
      text.replace(start.size(), unsealed_digits.size(), checksum.text());
    }
    saved_.write("manifest.json", text);
    score_sample(load_model(saved_.path()));
  }

 private:
  SavedSample saved_;
  Manifest manifest_;
  std::vector<std::string> names_;
};

const Directory& directory() {
  static const Directory directory;
  return directory;
}

void load_directory(std::string_view input) {
  std::vector<std::string> parts = fuzz_parts(input);
  parts.resize(3);
  const Directory& model = directory();
  if (parts[0] == "manifest.json") return model.load_manifest(parts[1]);
  const std::vector<std::string>& names = model.names();
  if (std::find(names.begin(), names.end(), parts[0]) == names.end()) return;
  model.load_with(parts[0], parts[0] == weights_name ? tensor_file_bytes(parts[1], parts[2]) : parts[1]);
}

std::vector<std::string> directories() {
  std::vector<std::string> seeds;
  for (const std::string& name : directory().names()) {
    if (name == weights_name) {
      const auto [header, data] = tensor_file_parts(directory().content(name));
      seeds.push_back(join_fuzz_parts({name, header, data}));
    } else {
      seeds.push_back(join_fuzz_parts({name, directory().content(name)}));
    }
  }
  SavedSample saved;
  seeds.push_back(join_fuzz_parts({"manifest.json", content_of(saved.file("manifest.json"))}));
  return seeds;
}

std::vector<std::string> words_of_models() {
  return {"numeric",      "ids/colour", "bags/seen",  "row_task", "../graph.json", "/etc/passwd",
          "vocabularies", "click",      "prediction", "log1p",    "quantile",      "id",
          "text",         "mean",       "sum",        "task",     "binary",        "[0]",
          "regression",   "multiclass", "0"};
}

const RegisterFuzzTarget model_registered{"model", {load_directory, directories, words_of_models, 350}};

}  // namespace
}  // namespace gatewise

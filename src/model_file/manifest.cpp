#include "model_file/manifest.h"

#include <filesystem>

#include "base/error.h"
#include "base/json.h"
#include "base/read_json.h"

namespace gatewise {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view file_name = "manifest.json";
constexpr std::string_view format_word = "gatewise_model";
// What every manifest begins with, in this and all later formats; eight digits and a quote follow.
constexpr std::string_view prefix = "{\n  \"crc32\": \"";
constexpr const char* advice = "train or export the model again, or take a whole copy of it";

std::string seal_of(std::string_view text) {
  Checksum checksum;
  checksum.add(text.substr(0, prefix.size()));
  checksum.add(unsealed_digits);
  checksum.add(text.substr(prefix.size() + unsealed_digits.size()));
  return checksum.text();
}

// Names that stay within the directory.
bool is_inside(const std::string& name) {
  const fs::path path(name);
  return !name.empty() && path.is_relative() && path == path.lexically_normal() && *path.begin() != "..";
}

Manifest read_format_1(const Json& json) {
  Manifest manifest;
  manifest.version = json.at("gatewise_version").get<std::string>();
  for (const auto& [name, facts] : json.at("files").items()) {
    manifest.files[name] = {facts.at("bytes").get<uint64_t>(), facts.at("crc32").get<std::string>()};
  }
  for (const auto& [table, name] : json.at("vocabularies").items()) {
    manifest.vocabularies[table] = name.get<std::string>();
  }
  return manifest;
}

}  // namespace

std::string gatewise_version() { return GATEWISE_VERSION; }

std::string Manifest::text() const {
  Json json{{"crc32", unsealed_digits}, {"format", format_word}, {"format_version", format}};
  json["gatewise_version"] = version;
  Json& listed = json["files"] = Json::object();
  for (const auto& [name, facts] : files) listed[name] = {{"bytes", facts.bytes}, {"crc32", facts.checksum}};
  json["vocabularies"] = vocabularies.empty() ? Json::object() : Json(vocabularies);
  std::string result = json.dump(2) + "\n";
  return result.replace(prefix.size(), unsealed_digits.size(), seal_of(result));
}

Manifest read_manifest(const std::string& directory) {
  std::error_code error;
  if (!fs::exists(directory, error)) {
    data_error("{}: no such model; expected a model directory; check the path", directory);
  }
  if (!fs::is_directory(directory, error)) {
    data_error("{}: is not a model; got a file, expected a model directory; give the directory", directory);
  }
  const std::string path = (fs::path(directory) / file_name).string();
  if (!fs::exists(path, error)) {
    data_error("{}: is not a model; it has no {}; give the directory of a model", directory, file_name);
  }
  const MappedFile file(path);
  const std::string_view text = file.bytes();
  if (text.size() < prefix.size() + unsealed_digits.size() || !text.starts_with(prefix) ||
      seal_of(text) != text.substr(prefix.size(), unsealed_digits.size())) {
    data_error("{}: is damaged; its checksum does not fit; {}", path, advice);
  }
  std::string unreadable;
  const std::optional<Json> parsed = read_json(text, unreadable);
  if (!parsed) data_error("{}: is damaged ({}); {}", path, unreadable, advice);
  try {
    const Json& json = *parsed;
    if (json.at("format") != format_word) {
      data_error("{}: is not that of a model; got format {}, expected \"{}\"; give the directory of a model",
                 path, json.at("format").dump(), format_word);
    }
    const auto format = json.at("format_version").get<int64_t>();
    if (format != model_format) {
      data_error("{}: the model has format {}, Gatewise {} reads format {}; use Gatewise {} or a later one",
                 directory, format, gatewise_version(), model_format,
                 json.at("gatewise_version").get<std::string>());
    }
    return read_format_1(json);
  } catch (const Json::exception& fault) {
    data_error("{}: is damaged ({}); {}", path, fault.what(), advice);
  }
}

std::map<std::string, MappedFile> open_files(const std::string& directory, const Manifest& manifest) {
  std::map<std::string, MappedFile> files;
  for (const auto& [name, facts] : manifest.files) {
    const std::string path = (fs::path(directory) / name).string();
    if (!is_inside(name)) data_error("{}: lies outside the model; {}", path, advice);
    std::error_code error;
    if (!fs::exists(path, error)) data_error("{}: is missing; {}", path, advice);
    MappedFile file(path);
    if (file.bytes().size() != facts.bytes) {
      data_error("{}: is not whole; got {} bytes, expected {}; {}", path, file.bytes().size(), facts.bytes,
                 advice);
    }
    Checksum checksum;
    checksum.add(file.bytes());
    if (checksum.text() != facts.checksum) {
      data_error("{}: is damaged; its checksum is {}, expected {}; {}", path, checksum.text(), facts.checksum,
                 advice);
    }
    files.emplace(name, std::move(file));
  }
  return files;
}

void refuse_to_replace(const std::string& directory) {
  std::error_code error;
  if (!fs::exists(directory, error)) return;
  if (!fs::is_directory(directory, error)) {
    data_error("{}: is not replaced; got a file, expected a model directory; give another path", directory);
  }
  if (fs::is_empty(directory, error)) return;
  Manifest manifest;
  try {
    manifest = read_manifest(directory);
  } catch (const Error& fault) {
    data_error(
        "{}: is not replaced, because it is no model of this Gatewise ({}); remove it or give another path",
        directory, fault.what());
  }
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    const std::string name = entry.path().lexically_relative(directory).string();
    const bool is_known =
        entry.is_directory() ? name == "vocabularies" : name == file_name || manifest.files.count(name) > 0;
    if (!is_known) {
      data_error(
          "{}: is not replaced, because \"{}\" in it is no part of the model; move that away or give another "
          "path",
          directory, name);
    }
  }
}

}  // namespace gatewise

#include "cli/command_files.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "table/table_files.h"

namespace gatewise {
namespace {

namespace fs = std::filesystem;

// Absolute, without links, dots and a slash at the end; the file need not be there.
fs::path place_of(const std::string& path) {
  std::error_code error;
  fs::path place = fs::weakly_canonical(fs::absolute(path, error), error);
  if (error) place = fs::absolute(path).lexically_normal();
  return place.has_filename() ? place : place.parent_path();
}

bool is_same(const std::string& a, const std::string& b) {
  std::error_code error;  // set where one of them is not there
  return place_of(a) == place_of(b) || fs::equivalent(a, b, error);
}

bool lies_in(const std::string& path, const std::string& folder) {
  const fs::path inner = place_of(path), outer = place_of(folder);
  return inner != outer &&
         std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

// The model directory that a file of this path would be part of; empty: none.
std::string model_around(const std::string& path) {
  for (fs::path folder = place_of(path).parent_path(); folder != folder.root_path();
       folder = folder.parent_path()) {
    std::error_code error;
    if (fs::exists(folder / "manifest.json", error) && fs::exists(folder / "graph.json", error))
      return folder.string();
  }
  return "";
}

std::vector<std::string> texts_of(const Json& value) {
  if (value.is_string()) return {value.get<std::string>()};
  std::vector<std::string> texts;
  for (const Json& one : value.is_array() ? value : Json::array()) {
    if (one.is_string()) texts.push_back(one.get<std::string>());
  }
  return texts;
}

void check_kind(const std::string& option, const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    data_error("{}: {} is a folder; expected a file; name one in it", option, path);
  if (fs::exists(path, error) && !fs::is_regular_file(path, error))
    data_error("{}: {} is a device or pipe; expected a file; name another", option, path);
}

void check_folder(const std::string& option, const std::string& path) {
  std::error_code error;
  const fs::path folder = place_of(path).parent_path();
  if (!fs::is_directory(folder, error)) {
    data_error("{}: {} cannot be written: the folder {} does not exist; make it, or name another file",
               option, path, folder.string());
  }
  if (access(folder.c_str(), W_OK) != 0) {
    data_error("{}: {} cannot be written: the folder {} is not writable; name another file", option, path,
               folder.string());
  }
}

}  // namespace

void CommandFiles::reads(const std::string& what, const std::string& path) {
  if (!path.empty()) inputs_.push_back({what, path});
}

void CommandFiles::reads_data(const std::vector<std::string>& files_or_globs) {
  if (files_or_globs.empty()) return;
  std::vector<std::string> files = files_or_globs;
  try {
    files = expand_files(files_or_globs);
  } catch (const Error&) {
    // Whoever reads them says what is missing.
  }
  for (const std::string& file : files) reads("a file of data", file);
}

void CommandFiles::reads_files_of(const Json& configuration) {
  const Json data = configuration.value("data", Json::object());
  for (const char* part : {"train", "validation", "test"}) {
    if (data.is_object() && data.contains(part)) reads_data(texts_of(data[part]));
  }
  for (const std::string& plugin : texts_of(configuration.value("plugins", Json())))
    reads("a plug-in", plugin);
}

void CommandFiles::writes(const std::string& option, const std::string& path) {
  if (!path.empty()) outputs_.push_back({option, path, true});
}

void CommandFiles::keeps(const std::string& option, const std::string& path) {
  if (!path.empty()) outputs_.push_back({option, path, false});
}

void CommandFiles::check_use(const Output& output) const {
  for (const Input& input : inputs_) {
    if (is_same(output.path, input.path)) {
      command_error("{}: {} is {}, which this command reads; expected a file of its own; name another",
                    output.option, output.path, input.what);
    }
    if (lies_in(output.path, input.path)) {
      command_error("{}: {} lies in {}, {}, which this command reads; name a file elsewhere", output.option,
                    output.path, input.path, input.what);
    }
  }
  for (const Output& other : outputs_) {
    if (&other == &output) continue;
    if (is_same(output.path, other.path)) {
      command_error("{}: {} is also that of {}; expected a file for each; name another", output.option,
                    output.path, other.option);
    }
    if (lies_in(output.path, other.path)) {
      command_error("{}: {} lies in {} of {}, where nothing else may be; name a file elsewhere",
                    output.option, output.path, other.path, other.option);
    }
  }
}

void CommandFiles::check() const {
  for (const Output& output : outputs_) {
    if (output.is_replaced) check_kind(output.option, output.path);
  }
  for (const Output& output : outputs_) {
    check_use(output);
    const std::string model = model_around(output.path);
    if (!model.empty()) {
      command_error("{}: {} lies in the model {}, whose files are sealed; name a file elsewhere",
                    output.option, output.path, model);
    }
    if (output.is_replaced) check_folder(output.option, output.path);
  }
}

}  // namespace gatewise

#include "serving/model_folders.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/error.h"
#include "scoring/example_rows.h"

namespace gatewise {
namespace {

namespace fs = std::filesystem;

// 0 where the name is no version: those are 1, 2, ... without a sign or leading zeros.
int64_t version_number(const std::string& name) {
  int64_t number = 0;
  const char* end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data(), end, number);
  const bool is_number = error == std::errc() && at == end && number > 0 && std::to_string(number) == name;
  return is_number ? number : 0;
}

// Hidden, or being written.
bool is_unfinished(const std::string& name) { return name.starts_with('.') || name.ends_with(".partial"); }

}  // namespace

std::pair<std::string, std::string> model_source(const std::string& argument) {
  const size_t equals = argument.find('=');
  const bool is_named = equals != std::string::npos && argument.find('/') > equals;
  const std::string path = is_named ? argument.substr(equals + 1) : argument;
  fs::path folder = fs::absolute(path).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  const std::string name = is_named ? argument.substr(0, equals) : folder.filename().string();
  const bool is_plain =
      std::all_of(name.begin(), name.end(), [](unsigned char c) { return c > 0x20 && c != 0x7F; });
  if (name.empty() || path.empty() || !is_plain || name.find_first_of("/:?#%") != std::string::npos) {
    command_error(
        "{}: \"{}\" is no name for a model; expected a folder, or name=folder, and a name without blanks "
        "and / : ? # %",
        argument, name);
  }
  return {name, path};
}

VersionFolders version_folders(const std::string& path) {
  std::error_code error;
  if (fs::exists(fs::path(path) / "manifest.json", error)) return {{{1, path}}, {}};
  if (!fs::is_directory(path, error)) {
    data_error(
        "{}: no such model; got {}, expected the directory of a model, or a folder of its versions (1, 2, "
        "...); "
        "gatewise fit trains a model and names its directory",
        path, fs::exists(path, error) ? "a file" : "nothing there");
  }
  VersionFolders found;
  fs::directory_iterator at(path, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    std::error_code gone;
    if (!at->is_directory(gone)) continue;
    const std::string name = at->path().filename().string();
    if (const int64_t number = version_number(name); number > 0) {
      found.versions[number] = at->path().string();
    } else if (!is_unfinished(name)) {
      found.passed_over.push_back(name);
    }
  }
  if (error) data_error("{}: cannot be read; {}; check that the folder may be read", path, error.message());
  if (found.versions.empty()) {
    data_error(
        "{}: is no model; it has neither a manifest.json nor folders named by version (1, 2, ...); give the "
        "directory of a model, which gatewise fit makes",
        path);
  }
  std::sort(found.passed_over.begin(), found.passed_over.end());
  return found;
}

std::string folder_fingerprint(const std::string& path) {
  std::vector<std::string> facts;
  std::error_code error;
  fs::recursive_directory_iterator at(path, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    struct stat status {};
    if (::stat(at->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    facts.push_back(fmt::format("{} {} {} {}.{}", at->path().string(), status.st_ino, status.st_size,
                                status.st_mtim.tv_sec, status.st_mtim.tv_nsec));
  }
  std::sort(facts.begin(), facts.end());
  return fmt::format("{}", fmt::join(facts, "\n"));
}

std::shared_ptr<const ServableModel> load_checked(const std::string& path) {
  auto model = std::make_shared<const ServableModel>(path);
  check_example_rows(*model, path);
  return model;
}

}  // namespace gatewise

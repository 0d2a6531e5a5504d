#include "base/plugin.h"

#include <dlfcn.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>

#include "base/plugin_stamp.h"
#include "base/random.h"
#include "base/registry.h"

namespace gatewise {
namespace {

// Of the plug-in that this thread is loading.
struct LoadingPlugin {
  std::vector<std::string> parts;
  std::exception_ptr error;
};
thread_local LoadingPlugin* loading_plugin = nullptr;

struct LoadedPlugins {
  std::mutex mutex;
  std::map<std::string, LoadedPlugin> by_file;
};

LoadedPlugins& loaded_plugins() {
  static LoadedPlugins plugins;
  return plugins;
}

std::string content_of_plugin(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream && content.empty()) command_error("{}: the plug-in cannot be read; check the path", path);
  return content;
}

// The stamp in the file; empty when it is no plug-in.
std::string stamp_of(const std::string& content) {
  const std::string mark = GATEWISE_PLUGIN_MARK;
  const size_t found = content.find(mark);
  if (found == std::string::npos) return "";
  const size_t start = found + mark.size();
  return content.substr(start, content.find('\0', start) - start);
}

void check_stamp(const std::string& path, const std::string& content) {
  const std::string stamp = stamp_of(content);
  if (stamp.empty()) {
    command_error(
        "{}: this is no plug-in of Gatewise; expected a library that CMake's gatewise_add_plugin() made "
        "(docs/research.md)",
        path);
  }
  if (stamp != plugin_stamp()) {
    command_error(
        "{}: the plug-in was made for another build of Gatewise; got {}, expected {}; build it again with "
        "the "
        "CMake package of this build",
        path, stamp, plugin_stamp());
  }
}

std::string canonical_plugin_path(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path canonical = std::filesystem::canonical(path, failed);
  if (failed) command_error("{}: the plug-in cannot be read: {}; check the path", path, failed.message());
  return canonical.string();
}

}  // namespace

void register_part(const std::string& name, const std::function<void()>& add) {
  if (loading_plugin == nullptr) return add();
  loading_plugin->parts.push_back(name);
  if (loading_plugin->error) return;
  try {
    add();
  } catch (...) {
    loading_plugin->error = std::current_exception();
  }
}

LoadedPlugin load_plugin(const std::string& path) {
  auto& [mutex, loaded] = loaded_plugins();
  const std::lock_guard lock(mutex);
  const std::string file = canonical_plugin_path(path);
  const auto found = loaded.find(file);
  if (found != loaded.end()) return found->second;
  const std::string content = content_of_plugin(file);
  check_stamp(file, content);
  LoadingPlugin loading;
  loading_plugin = &loading;
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  loading_plugin = nullptr;
  if (library == nullptr) command_error("{}: the plug-in cannot be loaded: {}", path, dlerror());
  if (loading.error) {
    try {
      std::rethrow_exception(loading.error);
    } catch (const std::exception& error) {
      command_error("{}: the plug-in cannot be used: {}; give its parts other names", path, error.what());
    }
  }
  return loaded[file] = {file, loading.parts, fnv1a(content)};
}

std::vector<uint64_t> loaded_plugin_checksums() {
  auto& [mutex, loaded] = loaded_plugins();
  const std::lock_guard lock(mutex);
  std::vector<uint64_t> checksums;
  for (const auto& [file, plugin] : loaded) checksums.push_back(plugin.checksum);
  std::sort(checksums.begin(), checksums.end());
  return checksums;
}

std::string plugin_stamp() { return GATEWISE_PLUGIN_STAMP; }

}  // namespace gatewise

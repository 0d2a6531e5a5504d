#include "serving/model_repository.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "serving/model_folders.h"

namespace gatewise {

ModelRepository::ModelRepository(const std::vector<std::string>& models, Log log) : log_(std::move(log)) {
  for (const std::string& model : models) {
    const auto [name, path] = model_source(model);
    if (find_entry(name) != nullptr) {
      command_error("{}: a model \"{}\" is served already; give it another name, as other={}", model, name,
                    path);
    }
    Entry& added = entries_.emplace_back();
    added.name = name;
    added.path = path;
  }
  scan();
  for (const Entry& entry : entries_) {
    if (const std::string reason = reason_of(entry); versions(entry.name).empty()) {
      data_error("{}: no version of the model can be served; {}", entry.path, reason);
    }
  }
}

void ModelRepository::log(const std::string& line) const {
  if (log_) log_(line);
}

void ModelRepository::scan() {
  const std::lock_guard scanning(scanning_);
  for (Entry& entry : entries_) {
    if (!entry.is_unloaded) scan(entry);
  }
}

// Once each, as long as they stand there.
void ModelRepository::log_passed_over(Entry& entry, const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    if (std::binary_search(entry.passed_over.begin(), entry.passed_over.end(), name)) continue;
    log(fmt::format(
        "model {}: the folder \"{}\" is passed over; got a name that is no version, expected 1, 2, "
        "... without leading zeros; rename it to have it served",
        entry.name, name));
  }
  entry.passed_over = names;
}

// Only whoever holds `scanning_` changes entries, so reading them here takes no lock.
void ModelRepository::scan(Entry& entry) {
  VersionFolders folders;
  std::string reason;
  try {
    folders = version_folders(entry.path);
  } catch (const std::exception& fault) {
    reason = fault.what();
  }
  const std::map<int64_t, std::string>& found = folders.versions;
  log_passed_over(entry, folders.passed_over);
  if (!reason.empty() && reason != entry.reason) {
    ++counters_.refusals;
    log(fmt::format("model {}: {}", entry.name, reason));
  }
  {
    const std::lock_guard lock(mutex_);
    entry.reason = reason;
    for (const auto& [number, path] : found) entry.versions[number].path = path;
  }
  for (const auto& [number, path] : found) scan(entry, number);
  if (reason.empty()) remove_gone(entry, found);
}

void ModelRepository::scan(Entry& entry, int64_t number) {
  Version& version = entry.versions[number];
  const std::string standing = folder_fingerprint(version.path);
  if (standing == version.seen) return;
  std::shared_ptr<const ServedModel> loaded;
  std::string reason;
  try {
    loaded = std::make_shared<const ServedModel>(entry.name, number, load_checked(version.path));
  } catch (const std::bad_alloc&) {
    reason = version.path + ": there is not enough memory to load it";
  } catch (const std::exception& fault) {
    reason = fault.what();
  }
  const bool is_swap = loaded && version.served;
  const bool stays = !loaded && version.served;
  {
    const std::lock_guard lock(mutex_);
    version.seen = standing;
    version.reason =
        stays ? "what stands in the folder now is refused, the version loaded before stays: " + reason
              : reason;
    if (loaded) version.served.swap(loaded);
  }
  ++(!reason.empty() ? counters_.refusals : is_swap ? counters_.swaps : counters_.loads);
  log(fmt::format("model {} version {}: {}{}", entry.name, number,
                  !reason.empty() ? "refused: " + reason
                  : is_swap       ? "replaced"
                                  : "loaded",
                  stays ? "; the version loaded before stays" : ""));
}

// A folder that is being replaced may be missing for a moment, so a version goes when it is missing twice;
// the last one stays.
void ModelRepository::remove_gone(Entry& entry, const std::map<int64_t, std::string>& found) {
  std::vector<std::shared_ptr<const ServedModel>> dropped;  // ends after the lock
  const std::lock_guard lock(mutex_);
  for (auto at = entry.versions.begin(); at != entry.versions.end();) {
    Version& version = at->second;
    const bool was_gone = version.is_gone;
    version.is_gone = !found.contains(at->first);
    const auto ready = std::count_if(entry.versions.begin(), entry.versions.end(),
                                     [](const auto& other) { return other.second.served != nullptr; });
    if (!version.is_gone || !was_gone || (version.served && ready == 1)) {
      ++at;
      continue;
    }
    if (version.served) {
      ++counters_.unloads;
      log(fmt::format("model {} version {}: its folder is gone", entry.name, at->first));
    }
    dropped.push_back(std::move(version.served));
    at = entry.versions.erase(at);
  }
}

const ModelRepository::Entry* ModelRepository::find_entry(std::string_view name) const {
  const auto at =
      std::find_if(entries_.begin(), entries_.end(), [&](auto& entry) { return entry.name == name; });
  return at == entries_.end() ? nullptr : &*at;
}

ModelRepository::Entry& ModelRepository::entry(std::string_view name) {
  for (Entry& entry : entries_) {
    if (entry.name == name) return entry;
  }
  command_error("no model \"{}\".{}", name, suggestion(name, names()));
}

std::shared_ptr<const ServedModel> ModelRepository::find(std::string_view name,
                                                         std::string_view version) const {
  int64_t number = 0;
  if (!version.empty()) {
    const char* end = version.data() + version.size();
    if (std::from_chars(version.data(), end, number).ptr != end) return nullptr;
  }
  const std::lock_guard lock(mutex_);
  const Entry* entry = find_entry(name);
  if (entry == nullptr || entry->is_unloaded) return nullptr;
  for (auto at = entry->versions.rbegin(); at != entry->versions.rend(); ++at) {
    if (at->second.served && (version.empty() || at->first == number)) return at->second.served;
  }
  return nullptr;
}

bool ModelRepository::has(std::string_view name) const { return find_entry(name) != nullptr; }

std::vector<int64_t> ModelRepository::versions(std::string_view name) const {
  std::vector<int64_t> numbers;
  const std::lock_guard lock(mutex_);
  const Entry* entry = find_entry(name);
  if (entry == nullptr || entry->is_unloaded) return numbers;
  for (const auto& [number, version] : entry->versions) {
    if (version.served) numbers.push_back(number);
  }
  return numbers;
}

std::vector<std::string> ModelRepository::names() const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.name);
  return names;
}

std::vector<ModelState> ModelRepository::index() const {
  std::vector<ModelState> states;
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    if (entry.versions.empty() || entry.is_unloaded) {
      states.push_back({entry.name, 0, false, entry.is_unloaded ? "unloaded" : entry.reason});
      continue;
    }
    for (const auto& [number, version] : entry.versions)
      states.push_back({entry.name, number, version.served != nullptr,
                        entry.reason.empty() ? version.reason : entry.reason});
  }
  return states;
}

bool ModelRepository::is_ready() const {
  const std::lock_guard lock(mutex_);
  return std::all_of(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return entry.is_unloaded ||
           std::any_of(entry.versions.begin(), entry.versions.end(),
                       [](const auto& version) { return version.second.served != nullptr; });
  });
}

// The newest fault: of the folder, or of its highest version that has one.
std::string ModelRepository::reason_of(const Entry& entry) const {
  const std::lock_guard lock(mutex_);
  if (!entry.reason.empty()) return entry.reason;
  for (auto at = entry.versions.rbegin(); at != entry.versions.rend(); ++at) {
    if (!at->second.reason.empty()) return at->second.reason;
  }
  return entry.versions.empty() ? "it has no folder named by a version number, as " + entry.path + "/1" : "";
}

std::string ModelRepository::load(std::string_view name) {
  const std::lock_guard scanning(scanning_);
  Entry& wanted = entry(name);
  {
    const std::lock_guard lock(mutex_);
    wanted.is_unloaded = false;
  }
  scan(wanted);
  return reason_of(wanted);
}

void ModelRepository::unload(std::string_view name) {
  const std::lock_guard scanning(scanning_);
  Entry& wanted = entry(name);
  std::map<int64_t, Version> dropped;  // ends after the lock
  {
    const std::lock_guard lock(mutex_);
    wanted.is_unloaded = true;
    wanted.versions.swap(dropped);
  }
  ++counters_.unloads;
  log(fmt::format("model {}: unloaded", wanted.name));
}

RepositoryWatcher::RepositoryWatcher(ModelRepository& repository, double seconds)
    : repository_(repository), thread_([this, seconds] { watch(std::chrono::duration<double>(seconds)); }) {}

RepositoryWatcher::~RepositoryWatcher() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void RepositoryWatcher::wake() {
  {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
  }
  changed_.notify_all();
}

void RepositoryWatcher::watch(std::chrono::duration<double> interval) {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    changed_.wait_for(lock, interval, [this] { return is_woken_ || is_ending_; });
    if (is_ending_) return;
    is_woken_ = false;
    lock.unlock();
    repository_.scan();
    lock.lock();
  }
}

}  // namespace gatewise

#include "base/temporary_place.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/file_lock.h"

namespace gatewise {
namespace {

namespace fs = std::filesystem;

std::atomic<int> living_places{0};
std::atomic<bool> is_interrupted{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

bool are_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Whether `name` is <target>.<digits>-<digits>.partial.
bool is_place_of(std::string_view name, std::string_view target) {
  constexpr std::string_view ending = ".partial";
  if (!name.starts_with(target) || !name.ends_with(ending)) return false;
  if (name.size() < target.size() + 1 + ending.size() || name[target.size()] != '.') return false;
  name.remove_prefix(target.size() + 1);
  name.remove_suffix(ending.size());
  const size_t dash = name.find('-');
  return dash != std::string_view::npos && are_digits(name.substr(0, dash)) &&
         are_digits(name.substr(dash + 1));
}

// False also where the file system has no locks: then nothing is known of the place.
bool try_lock(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0; }

void remove_if_left(const fs::path& place) {
  std::error_code error;
  const bool is_folder = fs::is_directory(fs::symlink_status(place, error));
  const int how = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (is_folder ? O_RDONLY | O_DIRECTORY : O_WRONLY);
  const int descriptor = ::open(place.c_str(), how);
  if (descriptor < 0) return;
  if (try_lock(descriptor)) fs::remove_all(place, error);
  ::close(descriptor);
}

void remove_leftovers(const std::string& target) {
  const fs::path path = target;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const std::string name = path.filename().string();
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (is_place_of(entry->path().filename().string(), name)) remove_if_left(entry->path());
  }
}

int open_new(const std::string& path, TemporaryPlace::Kind kind) {
  if (kind == TemporaryPlace::Kind::File)
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (::mkdir(path.c_str(), 0777) != 0) return -1;
  return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// Another program that looks for leftovers may have the lock for a moment, and has removed the place then.
bool is_ours(const std::string& path, int descriptor) {
  while (::flock(descriptor, LOCK_EX) != 0 && errno == EINTR) {
  }
  return is_name_of(path, descriptor);
}

}  // namespace

int TemporaryPlace::make(const std::string& target, Kind kind) {
  // Names no other writer in this process or another uses at the same time.
  static std::atomic<uint64_t> counter{0};
  constexpr int most_tries = 100;
  remove_leftovers(target);
  // Before there is anything to clean up, for a signal may come as soon as there is.
  ++living_places;
  for (int tries = 1;; ++tries) {
    const std::string path = fmt::format("{}.{}-{}.partial", target, ::getpid(), counter++);
    const int descriptor = open_new(path, kind);
    if (descriptor < 0 && ((errno != EEXIST && errno != EINTR) || tries == most_tries)) {
      --living_places;
      return errno;
    }
    if (descriptor < 0) continue;
    if (is_ours(path, descriptor) || tries == most_tries) {
      path_ = path;
      descriptor_ = descriptor;
      return 0;
    }
    ::close(descriptor);
  }
}

void TemporaryPlace::keep() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  descriptor_ = -1;
  --living_places;
}

TemporaryPlace::~TemporaryPlace() {
  if (descriptor_ < 0) return;
  std::error_code error;
  fs::remove_all(path_, error);
  keep();
}

bool interrupt_writers() {
  is_interrupted = true;
  return living_places > 0;
}

void throw_if_interrupted(const std::string& path) {
  if (is_interrupted)
    throw Interrupted(path + ": interrupted before it was whole; what was there is as it was");
}

}  // namespace gatewise

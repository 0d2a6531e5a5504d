#include "base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace gatewise {
namespace {

// What a handler may look at: no memory is freed under it. A lock that finds no slot is left to the next one.
std::array<std::atomic<const char*>, 16> held_paths{};
static_assert(std::atomic<const char*>::is_always_lock_free);

int take_slot(const char* path) {
  for (size_t slot = 0; slot < held_paths.size(); ++slot) {
    const char* free = nullptr;
    if (held_paths[slot].compare_exchange_strong(free, path)) return static_cast<int>(slot);
  }
  return -1;
}

}  // namespace

bool is_name_of(const std::string& path, int descriptor) {
  struct stat named {
  }, opened{};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(descriptor, &opened) == 0 &&
         named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

FileLock::FileLock(const std::string& path, const std::string& in_use) : path_(path) {
  while (true) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) data_error("{}: cannot be made; {}", path, std::generic_category().message(errno));
    const bool is_refused = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    // A holder that ended between our open() and flock() has removed the file that we have opened.
    if (!is_refused && is_name_of(path, descriptor)) {
      descriptor_ = descriptor;
      break;
    }
    ::close(descriptor);
    if (is_refused) data_error("{}: {}", path, in_use);
  }
  slot_ = take_slot(path_.c_str());
}

FileLock::~FileLock() {
  if (slot_ >= 0) held_paths[static_cast<size_t>(slot_)] = nullptr;
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

void remove_lock_files() {
  for (const std::atomic<const char*>& held : held_paths) {
    if (const char* path = held) ::unlink(path);
  }
}

}  // namespace gatewise

#include "base/atomic_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "base/error.h"

namespace gatewise {
namespace {

namespace fs = std::filesystem;

std::string target_of(const std::string& path) {
  std::error_code error;
  fs::path target = fs::absolute(path, error).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  if (fs::is_symlink(target, error)) {
    const fs::path followed = fs::weakly_canonical(target, error);
    if (!error) target = followed;
  }
  return target.string();
}

// Some file systems refuse to flush folders; the content is whole either way.
void flush_folder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

}  // namespace

AtomicDirectory::AtomicDirectory(const std::string& path) : path_(path), target_path_(target_of(path)) {
  static std::atomic<uint64_t> counter{0};
  if (path.empty()) data_error("the path of the directory to write is empty; give one");
  struct stat status {};
  const bool exists = ::stat(target_path_.c_str(), &status) == 0;
  if (exists && !S_ISDIR(status.st_mode)) {
    data_error("{}: cannot be written; it is a file, expected a folder; give another path", path_);
  }
  int result = 0;
  int tries = 0;
  do {
    temporary_path_ = fmt::format("{}.{}-{}.partial", target_path_, ::getpid(), counter++);
    result = ::mkdir(temporary_path_.c_str(), 0777);
  } while (result != 0 && errno == EEXIST && ++tries < 100);
  if (result != 0) fail("cannot be made", errno);
  // A replaced directory keeps its permissions where the system allows it.
  if (exists) static_cast<void>(::chmod(temporary_path_.c_str(), status.st_mode & 07777));
}

AtomicDirectory::~AtomicDirectory() {
  std::error_code error;
  if (!is_committed_) fs::remove_all(temporary_path_, error);
}

void AtomicDirectory::fail(const std::string& what, int code) const {
  const char* advice =
      code == ENOSPC || code == EDQUOT
          ? "free space there or give another path"
          : "check that the folder around it exists and may be written, or give another path";
  data_error("{}: {}; {}; {}", path_, what, std::generic_category().message(code), advice);
}

void AtomicDirectory::make_folder(const std::string& name) {
  if (::mkdir((temporary_path_ + "/" + name).c_str(), 0777) != 0) fail("cannot be made", errno);
}

void AtomicDirectory::commit() {
  if (is_committed_) internal_error("{}: committed twice", path_);
  flush_folder(temporary_path_);
  // Succeeds where nothing or an empty directory is.
  if (::rename(temporary_path_.c_str(), target_path_.c_str()) != 0) {
    if (errno != ENOTEMPTY && errno != EEXIST) fail("cannot be put in place", errno);
    replace();
  }
  is_committed_ = true;
  flush_folder(fs::path(target_path_).parent_path().string());
}

void AtomicDirectory::replace() {
  std::error_code error;
  const char* made = temporary_path_.c_str();
  const char* target = target_path_.c_str();
  // One step, after which the old directory has the temporary name.
  if (::renameat2(AT_FDCWD, made, AT_FDCWD, target, RENAME_EXCHANGE) == 0) {
    fs::remove_all(temporary_path_, error);
    return;
  }
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) fail("cannot be replaced", errno);
  // File systems without exchange: between two renames there is no directory at `path`.
  const std::string aside = temporary_path_ + ".replaced";
  if (::rename(target, aside.c_str()) != 0) fail("cannot be replaced", errno);
  if (::rename(made, target) != 0) {
    const int code = errno;
    ::rename(aside.c_str(), target);
    fail("cannot be put in place", code);
  }
  fs::remove_all(aside, error);
}

}  // namespace gatewise

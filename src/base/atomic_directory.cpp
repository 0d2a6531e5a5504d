#include "base/atomic_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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
  if (path.empty()) data_error("the path of the directory to write is empty; give one");
  struct stat status {};
  const bool exists = ::stat(target_path_.c_str(), &status) == 0;
  if (exists && !S_ISDIR(status.st_mode)) {
    data_error("{}: cannot be written; it is a file, expected a folder; give another path", path_);
  }
  if (const int code = place_.make(target_path_, TemporaryPlace::Kind::Folder)) fail("cannot be made", code);
  // A replaced directory keeps its permissions where the system allows it.
  if (exists) static_cast<void>(::fchmod(place_.descriptor(), status.st_mode & 07777));
}

void AtomicDirectory::fail(const std::string& what, int code) const {
  const char* advice =
      code == ENOSPC || code == EDQUOT
          ? "free space there or give another path"
          : "check that the folder around it exists and may be written, or give another path";
  data_error("{}: {}; {}; {}", path_, what, std::generic_category().message(code), advice);
}

void AtomicDirectory::make_folder(const std::string& name) {
  if (::mkdir((place_.path() + "/" + name).c_str(), 0777) != 0) fail("cannot be made", errno);
}

void AtomicDirectory::commit() {
  if (place_.descriptor() < 0) internal_error("{}: committed twice", path_);
  throw_if_interrupted(path_);
  ::fsync(place_.descriptor());
  // Succeeds where nothing or an empty directory is.
  if (::rename(place_.path().c_str(), target_path_.c_str()) != 0) {
    if (errno != ENOTEMPTY && errno != EEXIST) fail("cannot be put in place", errno);
    replace();
  }
  place_.keep();
  flush_folder(fs::path(target_path_).parent_path().string());
}

void AtomicDirectory::replace() {
  std::error_code error;
  const char* made = place_.path().c_str();
  const char* target = target_path_.c_str();
  // One step, after which the old directory has the temporary name.
  if (::renameat2(AT_FDCWD, made, AT_FDCWD, target, RENAME_EXCHANGE) == 0) {
    fs::remove_all(place_.path(), error);
    return;
  }
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) fail("cannot be replaced", errno);
  // File systems without exchange: between two renames there is no directory at `path`.
  const std::string aside = place_.path() + ".replaced";
  if (::rename(target, aside.c_str()) != 0) fail("cannot be replaced", errno);
  if (::rename(made, target) != 0) {
    const int code = errno;
    ::rename(aside.c_str(), target);
    fail("cannot be put in place", code);
  }
  fs::remove_all(aside, error);
}

}  // namespace gatewise

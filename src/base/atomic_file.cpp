#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/error.h"

namespace gatewise {
namespace {

constexpr size_t buffer_bytes = size_t{1} << 18;

std::string follow_links(const std::string& path) {
  std::filesystem::path followed = path;
  std::error_code error;
  for (int hops = 0; hops < 40 && std::filesystem::is_symlink(followed, error); ++hops) {
    const std::filesystem::path next = std::filesystem::read_symlink(followed, error);
    if (error) break;
    followed = next.is_absolute() ? next : followed.parent_path() / next;
  }
  return followed.string();
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : path_(path), target_path_(follow_links(path)) {
  struct stat status {};
  const bool exists = ::stat(target_path_.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    data_error("{}: cannot be written; it is a {}, expected a file; give another path", path_,
               S_ISDIR(status.st_mode) ? "folder" : "device or pipe");
  }
  if (const int code = place_.make(target_path_, TemporaryPlace::Kind::File)) fail("cannot be created", code);
  // A replaced file keeps its permissions where the system allows it.
  if (exists) static_cast<void>(::fchmod(place_.descriptor(), status.st_mode & 07777));
  buffer_.reserve(buffer_bytes);
}

void AtomicFile::fail(std::string_view what, int code) const {
  const std::string reason = std::generic_category().message(code);
  const char* advice = code == ENOSPC || code == EDQUOT ? "free space there or give another path"
                       : code == EFBIG
                           ? "raise the limit of a file's size (ulimit -f) or give another path"
                           : "check that the folder exists and may be written, or give another path";
  data_error("{}: {}; {}; {}", path_, what, reason, advice);
}

void AtomicFile::write(std::string_view bytes) {
  if (place_.descriptor() < 0) internal_error("{}: written after commit", path_);
  if (buffer_.size() + bytes.size() > buffer_bytes) flush();
  if (bytes.size() >= buffer_bytes) {
    write_out(bytes);
  } else {
    buffer_.append(bytes);
  }
}

void AtomicFile::flush() {
  write_out(buffer_);
  buffer_.clear();
}

void AtomicFile::write_out(std::string_view bytes) {
  const char* next = bytes.data();
  size_t left = bytes.size();
  while (left > 0) {
    throw_if_interrupted(path_);
    const ssize_t written = ::write(place_.descriptor(), next, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot be written", errno);
    next += written;
    left -= static_cast<size_t>(written);
  }
}

void AtomicFile::commit() {
  if (place_.descriptor() < 0) internal_error("{}: committed twice", path_);
  flush();
  if (::fsync(place_.descriptor()) != 0) fail("cannot be flushed to the disk", errno);
  throw_if_interrupted(path_);
  // Closed only then, for the lock: all is on the disk, so that closing cannot lose anything.
  if (::rename(place_.path().c_str(), target_path_.c_str()) != 0) fail("cannot be put in place", errno);
  place_.keep();
  // The rename itself survives a power cut only once the folder is flushed; some file systems refuse that,
  // and the file is whole either way.
  const int folder = ::open(folder_of(target_path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace gatewise

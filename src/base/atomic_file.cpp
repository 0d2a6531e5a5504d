#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
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

// Names no other writer in this process or another uses at the same time.
std::string temporary_name(const std::string& target) {
  static std::atomic<uint64_t> counter{0};
  return fmt::format("{}.{}-{}.partial", target, ::getpid(), counter++);
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : path_(path), target_path_(follow_links(path)) {
  struct stat status {};
  const bool exists = ::stat(target_path_.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    data_error("{}: cannot be written; it is a {}, expected a file; give another path", path_,
               S_ISDIR(status.st_mode) ? "folder" : "device or pipe");
  }
  int tries = 0;
  do {
    temporary_path_ = temporary_name(target_path_);
    descriptor_ = ::open(temporary_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && (errno == EINTR || (errno == EEXIST && ++tries < 100)));
  if (descriptor_ < 0) fail("cannot be created", errno);
  // A replaced file keeps its permissions where the system allows it.
  if (exists) static_cast<void>(::fchmod(descriptor_, status.st_mode & 07777));
  buffer_.reserve(buffer_bytes);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!is_committed_) ::unlink(temporary_path_.c_str());
}

void AtomicFile::fail(std::string_view what, int code) const {
  const std::string reason = std::generic_category().message(code);
  const char* advice = code == ENOSPC || code == EDQUOT || code == EFBIG
                           ? "free space there or give another path"
                           : "check that the folder exists and may be written, or give another path";
  data_error("{}: {}; {}; {}", path_, what, reason, advice);
}

void AtomicFile::write(std::string_view bytes) {
  if (descriptor_ < 0) internal_error("{}: written after commit", path_);
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
    const ssize_t written = ::write(descriptor_, next, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot be written", errno);
    next += written;
    left -= static_cast<size_t>(written);
  }
}

void AtomicFile::commit() {
  if (descriptor_ < 0) internal_error("{}: committed twice", path_);
  flush();
  if (::fsync(descriptor_) != 0) fail("cannot be flushed to the disk", errno);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail("cannot be closed", errno);
  if (::rename(temporary_path_.c_str(), target_path_.c_str()) != 0) fail("cannot be put in place", errno);
  is_committed_ = true;
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

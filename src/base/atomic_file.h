// Files that appear whole or not at all: written beside their place, flushed to the disk, then renamed.
#pragma once

#include <string>
#include <string_view>

#include "base/temporary_place.h"

namespace gatewise {

// One file being written. Until commit() the file at `path`, if any, is untouched; without commit() the
// destructor removes what was written. A symbolic link at `path` is followed. Every failure throws
// Error(Data) that names the path and the system's reason; write() and commit() throw Interrupted after
// interrupt_writers(). Not for use from two threads at once.
class AtomicFile {
 public:
  // Opens the temporary file in the folder of `path`, which must exist.
  explicit AtomicFile(const std::string& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // Appends bytes (short ones through a buffer).
  void write(std::string_view bytes);
  // Flushes to the disk and renames into place; write() and commit() must not be called afterwards.
  void commit();

  // Where the bytes are until commit().
  const std::string& temporary_path() const { return place_.path(); }

 private:
  void flush();
  void write_out(std::string_view bytes);
  [[noreturn]] void fail(std::string_view what, int code) const;

  std::string path_;         // as given, for messages
  std::string target_path_;  // with symbolic links followed
  std::string buffer_;
  TemporaryPlace place_;
};

// Writes `bytes` as the whole content of `path`.
void write_file_atomically(const std::string& path, std::string_view bytes);

}  // namespace gatewise

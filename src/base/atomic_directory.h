// Directories that appear whole or not at all: filled beside their place, then renamed.
#pragma once

#include <string>

#include "base/temporary_place.h"

namespace gatewise {

// One directory being filled by its user. Until commit() what is at `path` is untouched; without commit() the
// destructor removes what was made. A symbolic link at `path` is followed. Every failure throws Error(Data)
// that names the path and the system's reason; commit() throws Interrupted after interrupt_writers().
class AtomicDirectory {
 public:
  // Makes the temporary directory beside `path`, whose folder must exist.
  explicit AtomicDirectory(const std::string& path);
  AtomicDirectory(const AtomicDirectory&) = delete;
  AtomicDirectory& operator=(const AtomicDirectory&) = delete;

  // Where to put the files; they must be flushed by their writers, as AtomicFile does.
  const std::string& temporary_path() const { return place_.path(); }
  // Makes a folder in it.
  void make_folder(const std::string& name);
  // Renames into place. A directory that is there is replaced with all that is in it.
  void commit();

 private:
  [[noreturn]] void fail(const std::string& what, int code) const;
  void replace();

  std::string path_;         // as given, for messages
  std::string target_path_;  // with symbolic links followed, without a slash at the end
  TemporaryPlace place_;
};

}  // namespace gatewise

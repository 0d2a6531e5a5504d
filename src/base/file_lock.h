// One process at a time.
#pragma once

#include <string>

namespace gatewise {

// A file that is locked while this lives and removed at its end. The lock goes with the process, so the empty
// file that a killed one leaves stands in nobody's way.
class FileLock {
 public:
  // Throws Error(Data): "<path>: <in_use>" when another process, or another part of this one, has the lock,
  // and the system's reason when the file cannot be made. Where the file system has no locks there is none.
  FileLock(const std::string& path, const std::string& in_use);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  std::string path_;
  int descriptor_ = -1;
  int slot_ = -1;  // of those that remove_lock_files() looks at
};

// Whether the path still names the file or folder that is open.
bool is_name_of(const std::string& path, int descriptor);

// Removes the files of all locks; for the handler of a signal that ends the program.
void remove_lock_files();

}  // namespace gatewise

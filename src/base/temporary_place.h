// Names under which something is written until it is whole, and what becomes of them when a program ends
// early.
#pragma once

#include <exception>
#include <string>

namespace gatewise {

// A file or folder beside `target`, named <target>.<process>-<number>.partial. It is locked while this lives:
// by that, whoever writes to `target` next knows what a killed program has left, and removes it. Without
// keep() the destructor removes it.
class TemporaryPlace {
 public:
  enum class Kind { File, Folder };

  TemporaryPlace() = default;
  ~TemporaryPlace();
  TemporaryPlace(const TemporaryPlace&) = delete;
  TemporaryPlace& operator=(const TemporaryPlace&) = delete;

  // Removes what killed programs have left of `target`, then makes the place. Returns 0, or the system's
  // error number.
  int make(const std::string& target, Kind kind);
  // It has another name now: there is nothing to remove.
  void keep();

  const std::string& path() const { return path_; }
  int descriptor() const { return descriptor_; }

 private:
  std::string path_;
  int descriptor_ = -1;
};

// A signal ended the writing; what was to be replaced is as it was.
class Interrupted : public std::exception {
 public:
  explicit Interrupted(std::string what) : what_(std::move(what)) {}
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

// For a signal's handler: from now on throw_if_interrupted() throws. Returns whether there is a place whose
// owner will see that and clean up; without one the program may end at once.
bool interrupt_writers();
// Called between pieces of what is written. Throws Interrupted.
void throw_if_interrupted(const std::string& path);

}  // namespace gatewise

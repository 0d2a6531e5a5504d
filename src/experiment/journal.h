// The finished trials of an experiment, one JSON line each, so that a killed run goes on where it was.
#pragma once

#include <map>
#include <string>

#include "base/json.h"

namespace gatewise {

// An append-only file. A line is {key, what, result, checksum}: `what` tells people which trial it was. The
// file belongs to one process at a time. Not safe to use from several threads at once.
class Journal {
 public:
  // Opens or makes the file and reads it. A last line that was not written to its end is cut off; throws
  // Error(Data) for any other damage, with its line, and when another process has the file open.
  explicit Journal(const std::string& path);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // The result of the trial with this key, or nullptr.
  const Json* find(const std::string& key) const;
  // Appends a line and has it on the disk when it returns. Throws Error(Data) when that fails.
  void add(const std::string& key, const Json& what, const Json& result);

  const std::string& path() const { return path_; }
  size_t size() const { return results_.size(); }
  // Whether a damaged last line was cut off.
  bool was_cut() const { return was_cut_; }

 private:
  void read();
  void write_all(const std::string& text);
  [[noreturn]] void fail(const std::string& what, int code) const;

  std::string path_;
  int descriptor_ = -1;
  bool was_cut_ = false;
  std::map<std::string, Json> results_;
};

}  // namespace gatewise

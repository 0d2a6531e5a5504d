// The files of one command, so that no output takes the place of an input, of another output or of a part of
// a model.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace gatewise {

class CommandFiles {
 public:
  // A file that the command reads, or a folder, into which it may write nothing. `what` names it in messages:
  // "the configuration".
  void reads(const std::string& what, const std::string& path);
  // Files, patterns of files and plug-ins that a configuration names.
  void reads_data(const std::vector<std::string>& files_or_globs);
  void reads_files_of(const Json& configuration);

  // A file that appears whole at the end, in place of what is there. An empty path: none was asked for.
  void writes(const std::string& option, const std::string& path);
  // A file or folder whose writer looks at what is there.
  void keeps(const std::string& option, const std::string& path);

  // To be called before any work. Throws Error(Command) when an output is an input or another output or lies
  // within a folder of them or within a model, and Error(Data) when a file of writes() could not be written:
  // its folder is missing or not writable, or there is a folder or a device in its place.
  void check() const;

 private:
  struct Input {
    std::string what, path;
  };
  struct Output {
    std::string option, path;
    bool is_replaced = true;
  };

  void check_use(const Output& output) const;

  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
};

}  // namespace gatewise

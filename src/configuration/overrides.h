// "--path.to.field value" on the command line: fields of the configuration.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"

namespace gatewise {

struct Override {
  std::string option;             // as given, for messages: "--model.experts"
  std::vector<std::string> path;  // "model", "experts"
  Json value;
};

class Overrides {
 public:
  // Takes every "--name value" and "--name=value" for which `is_override(name)` out of `arguments`; nothing
  // behind "--" is touched. Values are read as TOML if they are TOML, else as text. Throws Error(Command)
  // when a value is missing or a name is no path.
  static Overrides take(std::vector<std::string>& arguments,
                        const std::function<bool(const std::string& name)>& is_override);

  // Writes the values into `configuration`, those under the table `only` if it is given.
  void apply(Json& configuration, const std::string& only = "") const;
  // Throws Error(Command) when a path begins with another table than one of `tables`.
  void allow_only(const std::vector<std::string>& tables, const std::string& verb) const;
  bool has(const std::string& table) const;
  const std::vector<Override>& list() const { return list_; }

 private:
  std::vector<Override> list_;
};

}  // namespace gatewise

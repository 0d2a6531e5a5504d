// Options that a function of Python declares by its keyword parameters, as OptionSets of the core.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "base/options.h"

namespace gatewise {

class DeclaredOptions {
 public:
  // `declared`: an array of {name, type, default, help, low?, high?, above?, choices?, search?: {low, high,
  // log}}; type as Option::type_name(). Throws Error(Command) for a type that there is not, and for a default
  // outside of its own limits; `where` names the function.
  DeclaredOptions(Json declared, const std::string& where);

  Json describe(const std::function<void(OptionSet&)>& others) const;
  // The values of the declared options; those of `others` go where these point. Throws as OptionSet::read().
  Json read(const Json& options, const std::string& path,
            const std::function<void(OptionSet&)>& others) const;

 private:
  using Value = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>,
                             std::vector<std::string>, Json>;
  // Declares all in `set`, over values that start at the defaults.
  void declare(OptionSet& set, std::deque<Value>& values, const std::string& where) const;
  static Value value_of_type(const std::string& type, const std::string& where);

  Json declared_;
};

}  // namespace gatewise

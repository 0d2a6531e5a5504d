// Plug-ins register themselves under their file's name; everything that lists or makes them walks the
// registry.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/options.h"

namespace gatewise {

// What is known of one plug-in of the kind `Interface` without making it.
template <class Interface>
struct Entry {
  std::string name;
  std::string summary;
  Json options;  // as OptionSet::describe()
  // Makes one from its options; `path` is the dotted place of the options in the configuration.
  std::function<std::unique_ptr<Interface>(const Json& options, const std::string& path)> make;
};

template <class Interface>
class Registry {
 public:
  static Registry& instance() {
    static Registry registry;
    return registry;
  }

  void add(Entry<Interface> entry) {
    const std::string name = entry.name;
    if (!entries_.emplace(name, std::move(entry)).second) internal_error("\"{}\" is registered twice", name);
  }

  // `kind` ("gate", "architecture") and `where` serve the message when the name is unknown.
  const Entry<Interface>& find(const std::string& name, const std::string& kind,
                               const std::string& where) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) {
      command_error("{}: unknown {} \"{}\".{}", where, kind, name, suggestion(name, names()));
    }
    return found->second;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) names.push_back(name);
    return names;
  }

  const std::map<std::string, Entry<Interface>>& entries() const { return entries_; }

 private:
  std::map<std::string, Entry<Interface>> entries_;
};

// Registers `Plugin`, which has a nested `Options` with declare() and a constructor from Options:
//   const Register<Gate, TopK> registered{"top_k", "the k largest, renormalised"};
template <class Interface, class Plugin>
struct Register {
  Register(const std::string& name, const std::string& summary) {
    Registry<Interface>::instance().add({name, summary, describe_options<typename Plugin::Options>(),
                                         [](const Json& options, const std::string& path) {
                                           return std::make_unique<Plugin>(
                                               read_options<typename Plugin::Options>(options, path));
                                         }});
  }
};

}  // namespace gatewise

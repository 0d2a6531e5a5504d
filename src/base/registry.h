// Plug-ins register themselves under their file's name; everything that lists or makes them walks the
// registry.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
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
  bool can_be_replaced = false;
};

// Safe for threads: entries can be added while others are read, and an entry that was found stays valid.
template <class Interface>
class Registry {
 public:
  static Registry& instance() {
    static Registry registry;
    return registry;
  }

  void add(Entry<Interface> entry) {
    const std::lock_guard lock(mutex_);
    const std::string name = entry.name;
    if (entries_.contains(name)) internal_error("\"{}\" is registered twice", name);
    entries_[name] = std::make_shared<const Entry<Interface>>(std::move(entry));
  }

  // Adds the entry, or puts it in the place of one that allows it. Returns whether it did the latter. Throws
  // Error(Command) where the name belongs to one that does not.
  bool put(Entry<Interface> entry) {
    const std::lock_guard lock(mutex_);
    const std::string name = entry.name;
    const auto found = entries_.find(name);
    const bool replaces = found != entries_.end();
    if (replaces) {
      if (!found->second->can_be_replaced)
        command_error("{}: this name is taken by a part of Gatewise or of a plug-in; choose another", name);
      replaced_.push_back(found->second);
    }
    entries_[name] = std::make_shared<const Entry<Interface>>(std::move(entry));
    return replaces;
  }

  // `kind` ("gate", "architecture") and `where` serve the message when the name is unknown.
  const Entry<Interface>& find(const std::string& name, const std::string& kind,
                               const std::string& where) const {
    {
      const std::lock_guard lock(mutex_);
      const auto found = entries_.find(name);
      if (found != entries_.end()) return *found->second;
    }
    command_error("{}: unknown {} \"{}\".{}", where, kind, name, suggestion(name, names()));
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    const std::lock_guard lock(mutex_);
    for (const auto& [name, entry] : entries_) names.push_back(name);
    return names;
  }

  std::map<std::string, Entry<Interface>> entries() const {
    std::map<std::string, Entry<Interface>> entries;
    const std::lock_guard lock(mutex_);
    for (const auto& [name, entry] : entries_) entries.emplace(name, *entry);
    return entries;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Entry<Interface>>> entries_;
  std::vector<std::shared_ptr<const Entry<Interface>>> replaced_;
};

// Runs `add`. While a plug-in is being loaded (base/plugin.h) the name is noted as one of its parts, and what
// `add` throws is kept as the error of loading it: nothing can be thrown out of the start of a library.
void register_part(const std::string& name, const std::function<void()>& add);

// Registers `Plugin`, which has a nested `Options` with declare() and a constructor from Options:
//   const Register<Gate, TopK> registered{"top_k", "the k largest, renormalised"};
template <class Interface, class Plugin>
struct Register {
  Register(const std::string& name, const std::string& summary) {
    register_part(name, [&] {
      Registry<Interface>::instance().add({name, summary, describe_options<typename Plugin::Options>(),
                                           [](const Json& options, const std::string& path) {
                                             return std::make_unique<Plugin>(
                                                 read_options<typename Plugin::Options>(options, path));
                                           }});
    });
  }
};

}  // namespace gatewise

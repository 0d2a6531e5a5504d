// The models that a server has, by name and version, and the folders they come from. Folders are looked at
// again by scan(): what is new or replaced is loaded beside what is served, checked on its example rows, and
// takes its place in one step; requests in flight keep what they began with. What cannot be loaded is
// refused with a reason, and what was served stays.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "serving/served_model.h"

namespace gatewise {

struct ModelState {
  std::string name;
  int64_t version = 0;  // 0: a model that has none
  bool is_ready = false;
  std::string reason;  // why it is not ready, or why what stands in the folder now is not what is served
};

struct RepositoryCounters {
  std::atomic<int64_t> loads{0}, swaps{0}, refusals{0}, unloads{0};
};

class ModelRepository {
 public:
  using Log = std::function<void(const std::string& line)>;

  // `models`: each a model directory, or a folder of them that are named by version numbers (name/1, name/2);
  // the model has the folder's name, or another as "name=path". Loads all. Throws Error(Data) when one has
  // no version that can be served, Error(Command) when two have one name or a name is none. `log` may be
  // called by any thread.
  explicit ModelRepository(const std::vector<std::string>& models, Log log = {});

  // Loads what has changed. Never throws for a model's fault.
  void scan();

  // The highest version that is ready, or that of `version`; null if there is none.
  std::shared_ptr<const ServedModel> find(std::string_view name, std::string_view version = {}) const;
  bool has(std::string_view name) const;
  // Those that are ready, ascending.
  std::vector<int64_t> versions(std::string_view name) const;
  // Models in the order given, versions ascending.
  std::vector<ModelState> index() const;
  std::vector<std::string> names() const;
  // Whether every model that was not unloaded has a version that is ready.
  bool is_ready() const;

  // Loads what is not loaded or has changed, and serves the model again after unload(). Returns the reason
  // why its folder, or its highest version that was, is refused; empty: all is well. versions() tells whether
  // any is served.
  std::string load(std::string_view name);
  // Serves it no more until load(). Both throw Error(Command) for a name that is not in the repository.
  void unload(std::string_view name);

  const RepositoryCounters& counters() const { return counters_; }

 private:
  struct Version {
    std::string path;
    std::optional<std::string> seen;  // what stood there when it was last loaded or refused
    std::string reason;
    std::shared_ptr<const ServedModel> served;
    bool is_gone = false;  // its folder was not there at the last scan
  };
  struct Entry {
    std::string name, path;
    bool is_unloaded = false;
    std::string reason;                    // of the folder itself
    std::vector<std::string> passed_over;  // folders in it whose names are no versions
    std::map<int64_t, Version> versions;
  };

  void scan(Entry& entry);
  void scan(Entry& entry, int64_t number);
  void log_passed_over(Entry& entry, const std::vector<std::string>& names) const;
  void remove_gone(Entry& entry, const std::map<int64_t, std::string>& found);
  Entry& entry(std::string_view name);
  const Entry* find_entry(std::string_view name) const;
  void log(const std::string& line) const;
  std::string reason_of(const Entry& entry) const;

  Log log_;
  std::mutex scanning_;       // one scan, load or unload at a time
  mutable std::mutex mutex_;  // of what the entries hold; never held while something is loaded
  std::vector<Entry> entries_;
  RepositoryCounters counters_;
};

// Calls scan() every `seconds` on a thread of its own, and at once when woken.
class RepositoryWatcher {
 public:
  RepositoryWatcher(ModelRepository& repository, double seconds);
  ~RepositoryWatcher();
  void wake();

 private:
  void watch(std::chrono::duration<double> interval);

  ModelRepository& repository_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_woken_ = false, is_ending_ = false;
  std::thread thread_;
};

}  // namespace gatewise

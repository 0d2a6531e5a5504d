// Encoded rows that many models read at once.
#pragma once

#include <future>
#include <list>
#include <map>
#include <memory>
#include <mutex>

#include "configuration/training_rows.h"

namespace gatewise {

// Configurations that name the same files, split, columns and tasks (or the same synthetic rows) share one
// copy, which nothing changes any more. Safe to use from several threads.
class SharedRows {
 public:
  // Rows that nobody uses are forgotten but for the `kept` last ones. With `keeps_tables` the tables of a
  // split by fraction stay in memory as they were read, so that another seed of the split reads no file; what
  // the split leaves alone is encoded once.
  SharedRows(size_t kept, bool keeps_tables) : kept_(kept), keeps_tables_(keeps_tables) {}

  // Loads the rows at the first call, as load_training_rows(); whoever asks meanwhile waits. Throws what
  // loading threw.
  std::shared_ptr<const TrainingRows> get(const Configuration& configuration);

  // What the rows are made of, by content: a checksum and the size of every file in place of its path.
  Json identity(const Configuration& configuration);

 private:
  class Tables;
  using Rows = std::shared_future<std::shared_ptr<const TrainingRows>>;

  std::shared_ptr<const TrainingRows> load(const Configuration& configuration);
  void keep(std::shared_ptr<const TrainingRows> rows);

  const size_t kept_;
  const bool keeps_tables_;
  std::mutex mutex_;
  std::map<std::string, Rows> loading_;
  std::map<std::string, std::weak_ptr<const TrainingRows>> loaded_;
  std::list<std::shared_ptr<const TrainingRows>> recent_;  // the last one used comes first
  std::map<std::string, std::shared_ptr<Tables>> tables_;  // by what is read, the split's seed left out
  std::map<std::string, Json> files_;                      // path -> {bytes, checksum}
};

}  // namespace gatewise

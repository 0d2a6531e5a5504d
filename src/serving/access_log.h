// One line for every request that was answered. Workers only add to a buffer of their own; a thread of the
// log writes them out, so that a slow disk delays nobody.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace gatewise {

struct AccessEntry {
  std::string_view client;  // address of the other end
  std::string_view method, target;
  int status = 0;
  size_t bytes = 0;  // of the answer's body
  int64_t rows = 0;
  double microseconds = 0;
};

class AccessLog {
 public:
  // Adds to the file at `path`, or to standard error where it is "-". Throws Error(Data) if it cannot be
  // opened.
  AccessLog(std::string path, int workers);
  // Writes what was added.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // "time client method target status bytes rows microseconds". The time is now; bytes of method and target
  // that are no printable ASCII come as %XX. Where the disk falls behind by megabytes, lines are dropped and
  // counted.
  void add(int worker, const AccessEntry& entry);
  // Writes what was added before to the old file and opens the path anew: after the file was moved away.
  // Throws Error(Data), and goes on with the old file, if it cannot be opened.
  void reopen();
  void flush();

 private:
  struct Buffer {
    std::mutex mutex;
    std::string text;
    int64_t dropped = 0;
    int64_t second = -1;  // whose text `time` is
    std::string time;
  };

  int open_file() const;
  void write_all();
  void work();

  std::string path_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::mutex file_mutex_;  // held while writing; never by workers
  int descriptor_ = -1;
  std::mutex wake_mutex_;
  std::condition_variable wake_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace gatewise

// One pool of our own threads. Work is split by index, never by thread, so results do not depend on their
// number.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace gatewise {

class Pool {
 public:
  // `threads` workers in all, the calling thread included; 0 means one per core.
  explicit Pool(int threads = 0);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int threads() const { return static_cast<int>(helpers_.size()) + 1; }

  // Calls task(index, worker) once for every index in [0, count), worker in [0, threads()). Returns when all
  // are done; the first exception is rethrown. Must not be called from within a task or from two threads at
  // once.
  void run(int64_t count, const std::function<void(int64_t index, int worker)>& task);

 private:
  void help(int worker);
  void work(int worker);

  std::vector<std::thread> helpers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<uint64_t> round_{0};
  std::atomic<int> busy_{0};
  std::atomic<bool> is_stopping_{false};
  std::atomic<int64_t> next_{0};
  int64_t count_ = 0;
  const std::function<void(int64_t, int)>* task_ = nullptr;
  std::exception_ptr failure_;
};

}  // namespace gatewise

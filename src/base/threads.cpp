#include "base/threads.h"

#include <algorithm>

namespace gatewise {
namespace {

constexpr int spins_before_block = 4000;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

}  // namespace

Pool::Pool(int threads) {
  if (threads <= 0) threads = std::max(1u, std::thread::hardware_concurrency());
  for (int worker = 1; worker < threads; ++worker) helpers_.emplace_back([this, worker] { help(worker); });
}

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    ++round_;
  }
  wake_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

void Pool::run(int64_t count, const std::function<void(int64_t, int)>& task) {
  if (helpers_.empty() || count <= 1) {
    for (int64_t index = 0; index < count; ++index) task(index, 0);
    return;
  }
  task_ = &task;
  count_ = count;
  failure_ = nullptr;
  next_.store(0, std::memory_order_relaxed);
  busy_.store(static_cast<int>(helpers_.size()), std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    ++round_;
  }
  wake_.notify_all();
  work(0);
  for (int spins = 0; busy_.load(std::memory_order_acquire) != 0; ++spins) {
    if (spins < spins_before_block) {
      relax();
    } else {
      std::this_thread::yield();
    }
  }
  if (failure_) std::rethrow_exception(failure_);
}

void Pool::help(int worker) {
  uint64_t seen = 0;
  while (true) {
    for (int spins = 0; spins < spins_before_block && round_.load(std::memory_order_acquire) == seen; ++spins)
      relax();
    if (round_.load(std::memory_order_acquire) == seen) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return round_.load(std::memory_order_acquire) != seen; });
    }
    seen = round_.load(std::memory_order_acquire);
    if (is_stopping_) return;
    work(worker);
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

void Pool::work(int worker) {
  try {
    for (int64_t index = next_++; index < count_; index = next_++) (*task_)(index, worker);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    next_.store(count_, std::memory_order_relaxed);
  }
}

}  // namespace gatewise

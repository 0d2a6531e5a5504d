// The gradients of the lanes of one pass; internal to the engine.
#pragma once

#include <mutex>
#include <vector>

#include "base/threads.h"
#include "engine/plan.h"
#include "engine/store.h"

namespace gatewise {

// The same elements in pieces of limited size, to be worked on side by side.
std::vector<ArenaRange> in_chunks(const std::vector<ArenaRange>& ranges, int64_t most_elements);

// Lane 0 adds to `total` itself, each other lane to a cleared buffer that is added to `total` in the order of
// lanes, so that no sum depends on the number of threads. Buffers that fit the cache are added as soon as
// their turn has come and serve again: one thread then needs a single one, which stays in the cache.
template <class T>
class LaneGradients {
 public:
  LaneGradients(Aligned<T>& total, Pool& pool) : total_(total), pool_(pool) {}

  // The lanes of a pass that writes to these parts of the arena, and elsewhere to `total` itself.
  void start(int64_t lanes, const std::vector<ArenaRange>& ranges);
  // Where the lane's gradients go; lanes begin in order.
  T* begin(int64_t lane);
  void end(int64_t lane);
  // Adds what is left, with all threads.
  void finish();

 private:
  void add(int64_t lane, ArenaRange range);

  Aligned<T>& total_;
  Pool& pool_;
  std::mutex mutex_;
  const std::vector<ArenaRange>* ranges_ = nullptr;
  std::vector<Aligned<T>> buffers_;
  std::vector<size_t> free_;  // buffers
  std::vector<size_t> buffer_of_lane_;
  std::vector<bool> is_done_;  // by lane
  int64_t added_ = 0;          // lanes before this one are in the total
  bool adds_at_once_ = false;
};

extern template class LaneGradients<float>;
extern template class LaneGradients<double>;

}  // namespace gatewise

#include "engine/lane_gradients.h"

#include "kernels/rows.h"

namespace gatewise {
namespace {

constexpr int64_t most_bytes_at_once = 256 * 1024;

}  // namespace

std::vector<ArenaRange> in_chunks(const std::vector<ArenaRange>& ranges, int64_t most_elements) {
  std::vector<ArenaRange> chunks;
  for (const ArenaRange& range : ranges) {
    for (int64_t begin = range.begin; begin < range.end; begin += most_elements) {
      chunks.push_back({begin, std::min(begin + most_elements, range.end)});
    }
  }
  return chunks;
}

template <class T>
void LaneGradients<T>::start(int64_t lanes, const std::vector<ArenaRange>& ranges) {
  ranges_ = &ranges;
  buffer_of_lane_.assign(lanes, 0);
  is_done_.assign(lanes, false);
  free_.clear();
  for (size_t i = 0; i < buffers_.size(); ++i) free_.push_back(i);
  added_ = 0;
  int64_t elements = 0;
  for (const ArenaRange& range : ranges) elements += range.end - range.begin;
  adds_at_once_ = elements * static_cast<int64_t>(sizeof(T)) <= most_bytes_at_once;
}

template <class T>
T* LaneGradients<T>::begin(int64_t lane) {
  if (lane == 0) return total_.data();
  T* buffer = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) {
      free_.push_back(buffers_.size());
      buffers_.emplace_back(total_.size());
    }
    buffer_of_lane_[lane] = free_.back();
    buffer = buffers_[free_.back()].data();
    free_.pop_back();
  }
  for (const ArenaRange& range : *ranges_) std::fill(buffer + range.begin, buffer + range.end, T(0));
  return buffer;
}

template <class T>
void LaneGradients<T>::end(int64_t lane) {
  const std::lock_guard lock(mutex_);
  is_done_[lane] = true;
  if (!adds_at_once_) return;
  for (; added_ < static_cast<int64_t>(is_done_.size()) && is_done_[added_]; ++added_) {
    if (added_ == 0) continue;
    for (const ArenaRange& range : *ranges_) add(added_, range);
    free_.push_back(buffer_of_lane_[added_]);
  }
}

template <class T>
void LaneGradients<T>::finish() {
  constexpr int64_t most_elements = 4096;
  const auto lanes = static_cast<int64_t>(is_done_.size());
  if (added_ == lanes) return;
  const std::vector<ArenaRange> chunks = in_chunks(*ranges_, most_elements);
  pool_.run(static_cast<int64_t>(chunks.size()), [&](int64_t index, int) {
    for (int64_t lane = std::max<int64_t>(added_, 1); lane < lanes; ++lane) add(lane, chunks[index]);
  });
}

template <class T>
void LaneGradients<T>::add(int64_t lane, ArenaRange range) {
  const T* from = buffers_[buffer_of_lane_[lane]].data() + range.begin;
  kernels::scaled_add(1, range.end - range.begin, T(1), kernels::ConstRows<T>(from, 0),
                      kernels::Rows<T>{total_.data() + range.begin, 0}, true);
}

template class LaneGradients<float>;
template class LaneGradients<double>;

}  // namespace gatewise

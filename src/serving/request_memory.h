// Memory of one request: pieces that stay where they are until the next request, and whose blocks are then
// used again, so that a worker that has seen requests of every usual size takes nothing more from the heap.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace gatewise {

class RequestMemory {
 public:
  // Forgets all pieces. Several blocks become one.
  void clear() {
    if (blocks_.size() > 1) {
      const size_t all = bytes();
      blocks_.clear();
      add_block(all);
    }
    used_ = 0;
  }

  size_t bytes() const {
    size_t bytes = 0;
    for (const Block& block : blocks_) bytes += block.size;
    return bytes;
  }

  void give_back() {
    std::vector<Block>().swap(blocks_);
    used_ = 0;
  }

  // `count` values that are not set. T needs no destructor.
  template <class T>
  std::span<T> take(size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignof(std::max_align_t));
    return {reinterpret_cast<T*>(place_of(count * sizeof(T))), count};
  }

  std::string_view copy(std::string_view text) {
    const std::span<char> to = take<char>(text.size());
    std::copy(text.begin(), text.end(), to.begin());
    return {to.data(), to.size()};
  }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> memory;
    size_t size = 0;
  };

  void add_block(size_t size) {
    blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
    used_ = 0;
  }

  std::byte* place_of(size_t count) {
    constexpr size_t unit = alignof(std::max_align_t), smallest = 16384;
    count = (count + unit - 1) / unit * unit;
    if (blocks_.empty() || blocks_.back().size - used_ < count)
      add_block(std::max({smallest, count, blocks_.empty() ? 0 : 2 * blocks_.back().size}));
    std::byte* place = blocks_.back().memory.get() + used_;
    used_ += count;
    return place;
  }

  std::vector<Block> blocks_;
  size_t used_ = 0;  // of the last block
};

}  // namespace gatewise

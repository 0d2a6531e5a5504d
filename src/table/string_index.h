// Distinct texts numbered in order of arrival.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatewise {

class StringIndex {
 public:
  static constexpr uint32_t none = 0xffffffffu;

  // The number of `text`, which is added if it is new.
  uint32_t add(std::string_view text);
  // The number of `text`, or none.
  uint32_t find(std::string_view text) const;

  size_t size() const { return texts_.size(); }
  const std::vector<std::string>& texts() const { return texts_; }
  // Hands over the texts and leaves the index empty.
  std::vector<std::string> take();

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t number = none;
  };

  // The slot that holds `text`, or the free one where it belongs.
  size_t slot_of(std::string_view text, uint32_t hash) const;
  void grow();

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::vector<std::string> texts_;
};

}  // namespace gatewise

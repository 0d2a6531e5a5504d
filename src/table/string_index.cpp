#include "table/string_index.h"

#include <functional>

#include "base/error.h"

namespace gatewise {
namespace {

uint32_t hash_of(std::string_view text) {
  const size_t hash = std::hash<std::string_view>{}(text);
  return static_cast<uint32_t>(hash ^ (hash >> 32));
}

}  // namespace

size_t StringIndex::slot_of(std::string_view text, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    const Slot& entry = slots_[slot];
    if (entry.number == none || (entry.hash == hash && texts_[entry.number] == text)) return slot;
  }
}

uint32_t StringIndex::add(std::string_view text) {
  if (texts_.size() * 2 >= slots_.size()) grow();
  const uint32_t hash = hash_of(text);
  Slot& slot = slots_[slot_of(text, hash)];
  if (slot.number == none) {
    if (texts_.size() >= none) internal_error("a column has more than {} distinct values", none);
    slot = {hash, static_cast<uint32_t>(texts_.size())};
    texts_.emplace_back(text);
  }
  return slot.number;
}

uint32_t StringIndex::find(std::string_view text) const {
  return slots_.empty() ? none : slots_[slot_of(text, hash_of(text))].number;
}

std::vector<std::string> StringIndex::take() {
  slots_.clear();
  return std::exchange(texts_, {});
}

void StringIndex::grow() {
  std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(std::max<size_t>(16, slots_.size() * 2)));
  const size_t mask = slots_.size() - 1;
  for (const Slot& entry : old) {
    if (entry.number == none) continue;
    size_t slot = entry.hash & mask;
    while (slots_[slot].number != none) slot = (slot + 1) & mask;
    slots_[slot] = entry;
  }
}

}  // namespace gatewise

// Raw values of rows out of arbitrary bytes.
#pragma once

#include <cstring>
#include <deque>

#include "features/row_encoder.h"

namespace gatewise {

// Takes values from the front of a text; behind its end all are zero.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : bytes_(bytes) {}
  bool is_empty() const { return bytes_.empty(); }
  uint8_t byte() { return take<uint8_t>(); }
  template <class T>
  T take() {
    T value{};
    std::memcpy(&value, bytes_.data(), std::min(sizeof(T), bytes_.size()));
    bytes_.remove_prefix(std::min(sizeof(T), bytes_.size()));
    return value;
  }
  std::string_view text(size_t size) {
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view bytes_;
};

// Keeps the memory of lists.
class RandomRows {
 public:
  RandomRows(std::string_view input, size_t columns) : from_(input) {
    rows = 1 + from_.byte() % 3;
    for (size_t i = 0; i < static_cast<size_t>(rows) * columns; ++i) values.push_back(value());
  }

  int64_t rows = 0;
  std::vector<RawValue> values;

 private:
  RawValue value() {
    const uint8_t kind = from_.byte();
    const size_t count = kind / 16;
    switch (kind % 8) {
      case 1:
        return from_.take<double>();
      case 2:
        return from_.take<uint64_t>();
      case 3:
        return from_.text(count);
      case 4: {
        std::vector<double>& list = numbers_.emplace_back();
        for (size_t i = 0; i < count; ++i) list.push_back(from_.take<double>());
        return std::span<const double>(list);
      }
      case 5: {
        std::vector<uint64_t>& list = ids_.emplace_back();
        for (size_t i = 0; i < count; ++i) list.push_back(from_.take<uint64_t>());
        return std::span<const uint64_t>(list);
      }
      case 6: {
        std::vector<std::string_view>& list = texts_.emplace_back();
        for (size_t i = 0; i < count; ++i) list.push_back(from_.text(from_.byte() % 8));
        return std::span<const std::string_view>(list);
      }
      case 7:
        return static_cast<double>(from_.byte());
      default:
        return {};
    }
  }

  Taker from_;
  std::deque<std::vector<double>> numbers_;
  std::deque<std::vector<uint64_t>> ids_;
  std::deque<std::vector<std::string_view>> texts_;
};

}  // namespace gatewise

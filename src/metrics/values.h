// Numbers that are kept in 32 or in 64 bits and read as double.
//
// Probabilities are as exact in 32 bits as models compute them. Values in original units are not: numbers
// around 1.7e9 lie 128 apart there, however small the spread that a model has learnt of them.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace gatewise {

// A view of either; what it is made of must outlive it.
class ValueSpan {
 public:
  ValueSpan() = default;
  ValueSpan(std::span<const float> values) : narrow_(values.data()), size_(values.size()) {}
  ValueSpan(std::span<const double> values) : wide_(values.data()), size_(values.size()) {}
  ValueSpan(const std::vector<float>& values) : ValueSpan(std::span(values)) {}
  ValueSpan(const std::vector<double>& values) : ValueSpan(std::span(values)) {}

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  double operator[](size_t place) const {
    return wide_ != nullptr ? wide_[place] : static_cast<double>(narrow_[place]);
  }
  ValueSpan subspan(size_t first, size_t count) const {
    return wide_ != nullptr ? ValueSpan(std::span(wide_ + first, count))
                            : ValueSpan(std::span(narrow_ + first, count));
  }

 private:
  const float* narrow_ = nullptr;
  const double* wide_ = nullptr;
  size_t size_ = 0;
};

// Owns them. Wide: in 64 bits.
class ValueList {
 public:
  explicit ValueList(bool is_wide = false) : is_wide_(is_wide) {}
  ValueList(std::vector<float> values) : narrow_(std::move(values)) {}
  ValueList(std::vector<double> values) : is_wide_(true), wide_(std::move(values)) {}

  bool is_wide() const { return is_wide_; }
  size_t size() const { return is_wide_ ? wide_.size() : narrow_.size(); }
  bool empty() const { return size() == 0; }
  double operator[](size_t place) const {
    return is_wide_ ? wide_[place] : static_cast<double>(narrow_[place]);
  }
  void reserve(size_t size) { is_wide_ ? wide_.reserve(size) : narrow_.reserve(size); }
  void push_back(double value) {
    is_wide_ ? wide_.push_back(value) : narrow_.push_back(static_cast<float>(value));
  }
  operator ValueSpan() const { return is_wide_ ? ValueSpan(wide_) : ValueSpan(narrow_); }

 private:
  bool is_wide_ = false;
  std::vector<float> narrow_;
  std::vector<double> wide_;
};

}  // namespace gatewise

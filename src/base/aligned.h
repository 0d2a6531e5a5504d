// Memory for vectors.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

namespace gatewise {

// Cache-line aligned, zeroed; from four megabytes on in huge pages where the system has them, since products
// walk across rows that lie pages apart.
template <class T>
class Aligned {
 public:
  Aligned() = default;
  explicit Aligned(int64_t size) { resize(size); }
  // What was there is lost.
  void resize(int64_t size);
  void fill(T value) { std::fill(data(), data() + size_, value); }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  int64_t size() const { return size_; }
  T& operator[](int64_t i) { return data_.get()[i]; }
  const T& operator[](int64_t i) const { return data_.get()[i]; }
  int64_t bytes() const { return size_ * static_cast<int64_t>(sizeof(T)); }

 private:
  struct Free {
    size_t alignment = 0;
    void operator()(T* pointer) const;
  };
  std::unique_ptr<T, Free> data_;
  int64_t size_ = 0;
};

extern template class Aligned<float>;
extern template class Aligned<double>;

}  // namespace gatewise

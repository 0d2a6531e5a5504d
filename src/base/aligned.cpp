#include "base/aligned.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

namespace gatewise {
namespace {

constexpr size_t line = 64;
constexpr size_t huge_page = size_t{2} << 20;

}  // namespace

template <class T>
void Aligned<T>::Free::operator()(T* pointer) const {
  ::operator delete (pointer, std::align_val_t{alignment});
}

template <class T>
void Aligned<T>::resize(int64_t size) {
  const size_t bytes = static_cast<size_t>(size) * sizeof(T);
  const size_t alignment = bytes >= 2 * huge_page ? huge_page : line;
  const size_t reserved = (bytes + alignment - 1) / alignment * alignment;
  void* memory = size == 0 ? nullptr : ::operator new (reserved, std::align_val_t{alignment});
  if (alignment == huge_page) madvise(memory, reserved, MADV_HUGEPAGE);
  if (memory != nullptr) std::memset(memory, 0, bytes);
  data_ = {static_cast<T*>(memory), Free{alignment}};
  size_ = size;
}

template class Aligned<float>;
template class Aligned<double>;

}  // namespace gatewise

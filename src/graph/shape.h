// What is known of a value before any data: the shape of one row and where the value lives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gatewise {

// Static values belong to the batch as a whole (parameters, batch statistics); Row values exist once per row;
// Routed values once per (row, chosen branch).
enum class Domain : uint8_t { Static, Row, Routed };

// The shape of one row; the batch is implied. An empty list is a scalar.
struct Shape {
  std::vector<int64_t> sizes;

  Shape() = default;
  Shape(std::initializer_list<int64_t> list) : sizes(list) {}
  explicit Shape(std::vector<int64_t> list) : sizes(std::move(list)) {}

  int64_t elements() const {
    int64_t product = 1;
    for (const int64_t size : sizes) product *= size;
    return product;
  }
  int64_t rank() const { return static_cast<int64_t>(sizes.size()); }
  // The innermost size; 1 for a scalar.
  int64_t last() const { return sizes.empty() ? 1 : sizes.back(); }
  // The product of all sizes but the innermost.
  int64_t outer() const { return last() == 0 ? 0 : elements() / last(); }
  // Negative axes count from the end.
  int64_t operator[](int64_t axis) const { return sizes[axis < 0 ? axis + rank() : axis]; }
  bool operator==(const Shape&) const = default;
  std::string text() const;
};

struct Signature {
  Shape shape;
  Domain domain = Domain::Row;
  int route = -1;  // Routed values and the route itself: the node that made the route

  bool operator==(const Signature&) const = default;
};

}  // namespace gatewise

#include "graph/binary_op.h"

#include "base/error.h"

namespace gatewise {
namespace {

bool is_suffix(const Shape& whole, const Shape& part) {
  if (part.elements() == 1) return true;
  if (part.rank() > whole.rank()) return false;
  return std::equal(part.sizes.rbegin(), part.sizes.rend(), whole.sizes.rbegin());
}

}  // namespace

Shape Broadcast::result(const std::string& op, const Shape& a, const Shape& b) {
  if (is_suffix(a, b)) return a;
  if (is_suffix(b, a)) return b;
  command_error(
      "{}: shapes {} and {} do not fit; expected equal shapes or one the innermost part of the other", op,
      a.text(), b.text());
}

Broadcast::Broadcast(const Shape& a, const Shape& b) : width(std::max(a.elements(), b.elements())) {
  inner[0] = a.elements();
  inner[1] = b.elements();
}

}  // namespace gatewise

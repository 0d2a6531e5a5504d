// Elementwise operations of two values. The shapes are equal, or one is the innermost part of the other (a
// vector against every group of a row), or one is a scalar.
#pragma once

#include "graph/op.h"
#include "kernels/rows.h"

namespace gatewise {

// How the smaller operand repeats: the larger has `repeats` groups of the smaller's width.
struct Broadcast {
  int64_t width = 1;  // elements of the result
  int64_t inner[2] = {1, 1};

  static Shape result(const std::string& op, const Shape& a, const Shape& b);
  Broadcast(const Shape& a, const Shape& b);

  // Calls visit(element of the result, element of a, element of b) for every element.
  template <class Visit>
  void each(const Visit& visit) const {
    if (inner[0] == width && inner[1] == width) {
      for (int64_t i = 0; i < width; ++i) visit(i, i, i);
      return;
    }
    for (int64_t i = 0, first = 0, second = 0; i < width; ++i) {
      visit(i, first, second);
      if (++first == inner[0]) first = 0;
      if (++second == inner[1]) second = 0;
    }
  }
};

// Derived has op_name, value(a, b), d_first(a, b) and d_second(a, b): the result and its partial derivatives.
template <class Derived>
class BinaryOp : public OpBase<Derived> {
 public:
  using OpBase<Derived>::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    this->require_inputs(inputs, 2);
    Signature output = joined(this->name(), inputs);
    output.shape = Broadcast::result(this->name(), inputs[0].shape, inputs[1].shape);
    return output;
  }

  template <class T>
  void run(const Call<T>& call) const {
    const Broadcast broadcast(call.shapes[0].shape, call.shapes[1].shape);
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* a = call.inputs[0].data + row * call.inputs[0].stride;
      const T* b = call.inputs[1].data + row * call.inputs[1].stride;
      T* y = call.output.data + row * call.output.stride;
      broadcast.each([&](int64_t i, int64_t ia, int64_t ib) { y[i] = Derived::value(a[ia], b[ib]); });
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const Broadcast broadcast(call.shapes[0].shape, call.shapes[1].shape);
    for (int operand = 0; operand < 2; ++operand) {
      const Rows<T> target = call.d_inputs[operand];
      if (target.data == nullptr) continue;
      const bool is_static = call.shapes[operand].domain == Domain::Static;
      for (int64_t row = 0; row < call.rows; ++row) {
        const T* a = call.inputs[0].data + row * call.inputs[0].stride;
        const T* b = call.inputs[1].data + row * call.inputs[1].stride;
        const T* dy = call.d_output.data + row * call.d_output.stride;
        T* into = target.data + (is_static ? 0 : row * target.stride);
        if (!is_static && !call.accumulate[operand]) std::fill(into, into + broadcast.inner[operand], T(0));
        if (operand == 0) {
          broadcast.each(
              [&](int64_t i, int64_t ia, int64_t ib) { into[ia] += Derived::d_first(a[ia], b[ib]) * dy[i]; });
        } else {
          broadcast.each([&](int64_t i, int64_t ia, int64_t ib) {
            into[ib] += Derived::d_second(a[ia], b[ib]) * dy[i];
          });
        }
      }
    }
  }

  std::vector<OpCase> cases() const override {
    const double low = Derived::lowest_input;
    return {{.inputs = {{Shape{5}, Domain::Row}, {Shape{5}, Domain::Row}}, .low = low, .high = 2},
            {.inputs = {{Shape{3, 4}, Domain::Row}, {Shape{4}, Domain::Static}}, .low = low, .high = 2},
            {.inputs = {{Shape{}, Domain::Static}, {Shape{2, 3}, Domain::Row}}, .low = low, .high = 2},
            {.inputs = {{Shape{2, 3}, Domain::Row}, {Shape{1}, Domain::Row}}, .low = low, .high = 2},
            {.inputs = {{Shape{6}, Domain::Static}, {Shape{6}, Domain::Static}}, .low = low, .high = 2}};
  }
  static constexpr double lowest_input = -2;
};

}  // namespace gatewise

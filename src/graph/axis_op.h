// Operations that fold one axis of a value into a number: the axis disappears.
#pragma once

#include "graph/op.h"

namespace gatewise {

struct AxisOptions {
  int64_t axis = -1;
  void declare(OptionSet& set) {
    set.add("axis", &axis, "axis that disappears; negative counts from the end");
  }
};

// Derived has op_name and factor(size of the axis): the result is factor times the sum over the axis.
template <class Derived>
class AxisOp : public OpBase<Derived, AxisOptions> {
 public:
  using OpBase<Derived, AxisOptions>::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    this->require_inputs(inputs, 1);
    const Shape& x = inputs[0].shape;
    const int64_t axis = axis_of(x);
    this->require(axis >= 0 && axis < x.rank(), "axis {} does not exist in {}", this->options_.axis,
                  x.text());
    Signature output = joined(this->name(), inputs);
    output.shape = x;
    output.shape.sizes.erase(output.shape.sizes.begin() + axis);
    return output;
  }

  bool backward_reads_input(int) const override { return false; }

  template <class T>
  void run(const Call<T>& call) const {
    const Sizes size(call.shapes[0].shape, axis_of(call.shapes[0].shape));
    const T factor = Derived::template factor<T>(size.axis);
    for (int64_t row = 0; row < call.rows; ++row) {
      T* y = call.output.data + row * call.output.stride;
      std::fill(y, y + size.outer * size.inner, T(0));
      size.each(call.inputs[0].data + row * call.inputs[0].stride, y,
                [](const T& from, T& into) { into += from; });
      for (int64_t i = 0; i < size.outer * size.inner; ++i) y[i] *= factor;
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const Sizes size(call.shapes[0].shape, axis_of(call.shapes[0].shape));
    const T factor = Derived::template factor<T>(size.axis);
    for (int64_t row = 0; row < call.rows; ++row) {
      T* dx = call.d_inputs[0].data + row * call.d_inputs[0].stride;
      const T* dy = call.d_output.data + row * call.d_output.stride;
      if (call.accumulate[0]) {
        size.each(dx, dy, [&](T& into, const T& from) { into += factor * from; });
      } else {
        size.each(dx, dy, [&](T& into, const T& from) { into = factor * from; });
      }
    }
  }

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{7}, Domain::Row}}},
            {.options = {{"axis", 0}}, .inputs = {{Shape{3, 5}, Domain::Row}}},
            {.options = {{"axis", 1}}, .inputs = {{Shape{2, 3, 4}, Domain::Row}}},
            {.options = {{"axis", -1}}, .inputs = {{Shape{2, 6}, Domain::Static}}}};
  }

 private:
  struct Sizes {
    int64_t outer = 1, axis, inner = 1;
    Sizes(const Shape& shape, int64_t at) : axis(shape[at]) {
      for (int64_t i = 0; i < at; ++i) outer *= shape[i];
      for (int64_t i = at + 1; i < shape.rank(); ++i) inner *= shape[i];
    }

    // visit(element of the whole, element of the folded value) for every element of the whole.
    template <class Whole, class Folded, class Visit>
    void each(Whole* whole, Folded* folded, const Visit& visit) const {
      for (int64_t block = 0; block < outer; ++block, folded += inner) {
        for (int64_t entry = 0; entry < axis; ++entry, whole += inner) {
          for (int64_t i = 0; i < inner; ++i) visit(whole[i], folded[i]);
        }
      }
    }
  };

  int64_t axis_of(const Shape& shape) const {
    return this->options_.axis < 0 ? this->options_.axis + shape.rank() : this->options_.axis;
  }
};

}  // namespace gatewise

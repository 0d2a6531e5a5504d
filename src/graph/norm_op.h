// Normalisation over the last axis, with or without the mean.
#pragma once

#include "graph/op.h"
#include "kernels/rows.h"

namespace gatewise {

struct NormOptions {
  double epsilon = 1e-5;
  void declare(OptionSet& set) {
    set.add("epsilon", &epsilon, "added to the variance or mean square").above(0);
  }
};

// Derived has op_name and is_rms. Inputs: x, scale and, unless is_rms, shift; both of the last axis, or of
// the shape of x so that every group has its own.
template <class Derived>
class NormOp : public OpBase<Derived, NormOptions> {
 public:
  using OpBase<Derived, NormOptions>::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    this->require_inputs(inputs, Derived::is_rms ? 2 : 3);
    const Shape& x = inputs[0].shape;
    this->require(x.rank() >= 1, "needs an axis, got a scalar");
    for (size_t i = 1; i < inputs.size(); ++i) {
      const Shape& own = inputs[i].shape;
      this->require(inputs[i].domain == Domain::Static && (own == Shape{x.last()} || own == x) &&
                        own == inputs[1].shape,
                    "{} must be static [{}] or {}, got {}", i == 1 ? "scale" : "shift", x.last(), x.text(),
                    own.text());
    }
    return inputs[0];
  }

  int64_t auxiliary_width(std::span<const Signature> inputs) const override {
    return 2 * inputs[0].shape.outer();
  }
  bool backward_reads_input(int input) const override { return input < 2; }

  template <class T>
  void run(const Call<T>& call) const {
    kernels::layer_norm(sizes(call), call.inputs[0], call.inputs[1].data,
                        Derived::is_rms ? nullptr : call.inputs[2].data, call.output, call.auxiliary);
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    // The kernel always writes dx: where nobody wants it, every row goes to the same scratch row.
    Rows<T> dx = call.d_inputs[0];
    std::vector<T> scratch(dx.data == nullptr ? call.shape->shape.elements() : 0);
    if (dx.data == nullptr) dx = {scratch.data(), 0};
    kernels::layer_norm_backward(sizes(call), call.inputs[0], call.inputs[1].data,
                                 ConstRows<T>(call.auxiliary), ConstRows<T>(call.d_output), dx,
                                 call.accumulate[0], call.d_inputs[1].data,
                                 Derived::is_rms ? nullptr : call.d_inputs[2].data);
  }

  std::vector<OpCase> cases() const override {
    const auto with = [](Shape x, Shape scale) {
      OpCase result{.inputs = {{std::move(x), Domain::Row}, {scale, Domain::Static}}};
      if (!Derived::is_rms) result.inputs.push_back({scale, Domain::Static});
      return result;
    };
    return {with({7}, {7}), with({3, 5}, {5}), with({2, 6}, {2, 6})};
  }

 private:
  template <class T>
  kernels::NormSizes sizes(const Call<T>& call) const {
    const Shape& x = call.shapes[0].shape;
    const int64_t scale_stride = call.shapes[1].shape.elements() == x.last() ? 0 : x.last();
    return {call.rows, x.outer(), x.last(), scale_stride, this->options_.epsilon, Derived::is_rms};
  }
};

}  // namespace gatewise

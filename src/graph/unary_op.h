// Elementwise functions of one value share everything but their name and formula.
#pragma once

#include "graph/op.h"
#include "kernels/rows.h"

namespace gatewise {

// Derived has op_name and function, and parameter() where the function has one.
template <class Derived, class OptionsType = NoOptions>
class UnaryOp : public OpBase<Derived, OptionsType> {
 public:
  using OpBase<Derived, OptionsType>::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    this->require_inputs(inputs, 1);
    Signature output = joined(this->name(), inputs);
    output.shape = inputs[0].shape;
    return output;
  }

  double parameter() const { return 0; }
  bool backward_reads_input(int) const override { return true; }
  bool backward_reads_output() const override { return true; }

  template <class T>
  void run(const Call<T>& call) const {
    kernels::unary(Derived::function, static_cast<T>(this->derived().parameter()), call.rows,
                   call.shape->shape.elements(), call.inputs[0], call.output);
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    kernels::unary_backward(Derived::function, static_cast<T>(this->derived().parameter()), call.rows,
                            call.shape->shape.elements(), call.inputs[0], ConstRows<T>(call.output),
                            ConstRows<T>(call.d_output), call.d_inputs[0], call.accumulate[0]);
  }

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{7}, Domain::Row}}, .low = -3, .high = 3, .keep_from_zero = 0.01},
            {.inputs = {{Shape{3, 4}, Domain::Static}}, .low = -3, .high = 3, .keep_from_zero = 0.01}};
  }
};

}  // namespace gatewise

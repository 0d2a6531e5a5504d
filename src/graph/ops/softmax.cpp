#include "graph/ops.h"

namespace gatewise {
namespace {

class SoftmaxOp final : public OpBase<SoftmaxOp> {
 public:
  static constexpr const char* op_name = "softmax";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 1);
    require(inputs[0].shape.rank() >= 1, "needs an axis, got a scalar");
    return inputs[0];
  }

  bool backward_reads_input(int) const override { return false; }
  bool backward_reads_output() const override { return true; }

  std::string lower(const LoweringCall& call) const override {
    return call.to.add("Softmax", {call.inputs[0]}, {{"axis", -1}});
  }

  template <class T>
  void run(const Call<T>& call) const {
    kernels::softmax(call.rows, call.shape->shape.outer(), call.shape->shape.last(), call.inputs[0],
                     call.output);
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    kernels::softmax_backward(call.rows, call.shape->shape.outer(), call.shape->shape.last(),
                              ConstRows<T>(call.output), ConstRows<T>(call.d_output), call.d_inputs[0],
                              call.accumulate[0]);
  }

  std::optional<kernels::RowStep> row_step(std::span<const Signature> inputs) const override {
    return kernels::softmax_step(inputs[0].shape.outer(), inputs[0].shape.last());
  }

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{8}, Domain::Row}}, .low = -4, .high = 4},
            {.inputs = {{Shape{3, 5}, Domain::Row}}, .low = -4, .high = 4}};
  }
};

const RegisterOp<SoftmaxOp> softmax_registered;

}  // namespace

Var softmax(Var x) { return x.graph().apply(std::make_shared<SoftmaxOp>(), {x}); }

}  // namespace gatewise

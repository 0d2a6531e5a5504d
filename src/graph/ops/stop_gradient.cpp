#include "graph/ops.h"

namespace gatewise {
namespace {

class StopGradientOp final : public OpBase<StopGradientOp> {
 public:
  static constexpr const char* op_name = "stop_gradient";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 1);
    return inputs[0];
  }

  bool is_view() const override { return true; }
  bool has_gradient(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override { return call.inputs[0]; }

  template <class T>
  void run(const Call<T>& call) const {
    kernels::scaled_add(call.rows, call.shape->shape.elements(), T(1), call.inputs[0], call.output, false);
  }
  template <class T>
  void gradient(const Call<T>&) const {}

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{5}, Domain::Row}}, .no_gradient = {0}},
            {.inputs = {{Shape{2, 3}, Domain::Static}}, .no_gradient = {0}}};
  }
};

const RegisterOp<StopGradientOp> stop_gradient_registered;

}  // namespace

Var stop_gradient(Var x) { return x.graph().apply(std::make_shared<StopGradientOp>(), {x}); }

}  // namespace gatewise

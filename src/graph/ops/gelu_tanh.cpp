#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class GeluTanhOp final : public UnaryOp<GeluTanhOp> {
 public:
  static constexpr const char* op_name = "gelu_tanh";
  static constexpr kernels::Unary function = kernels::Unary::GeluTanh;
  using UnaryOp::UnaryOp;

  std::string lower(const LoweringCall& call) const override {
    // x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
    Lowering& to = call.to;
    const std::string& x = call.inputs[0];
    const std::string square = to.add("Mul", {x, x});
    const std::string slope = to.add("Add", {to.add("Mul", {square, to.real(0.044715)}), to.real(1)});
    const std::string inner = to.add("Mul", {to.add("Mul", {x, slope}), to.real(std::sqrt(2 / M_PI))});
    const std::string twice = to.add("Add", {to.add("Tanh", {inner}), to.real(1)});
    return to.add("Mul", {to.add("Mul", {x, to.real(0.5)}), twice});
  }
};

const RegisterOp<GeluTanhOp> gelu_tanh_registered;

}  // namespace

Var gelu_tanh(Var x) { return x.graph().apply(std::make_shared<GeluTanhOp>(), {x}); }

}  // namespace gatewise

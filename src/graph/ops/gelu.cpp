#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class GeluOp final : public UnaryOp<GeluOp> {
 public:
  static constexpr const char* op_name = "gelu";
  static constexpr kernels::Unary function = kernels::Unary::GeluExact;
  using UnaryOp::UnaryOp;

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    const std::string scaled = to.add("Mul", {call.inputs[0], to.real(std::sqrt(0.5))});
    const std::string twice = to.add("Add", {to.add("Erf", {scaled}), to.real(1)});
    return to.add("Mul", {to.add("Mul", {call.inputs[0], to.real(0.5)}), twice});
  }
};

const RegisterOp<GeluOp> gelu_registered;

}  // namespace

Var gelu(Var x) { return x.graph().apply(std::make_shared<GeluOp>(), {x}); }

}  // namespace gatewise

#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class NormalCdfOp final : public UnaryOp<NormalCdfOp> {
 public:
  static constexpr const char* op_name = "normal_cdf";
  static constexpr kernels::Unary function = kernels::Unary::NormalCdf;
  using UnaryOp::UnaryOp;

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    const std::string scaled = to.add("Mul", {call.inputs[0], to.real(std::sqrt(0.5))});
    return to.add("Mul", {to.add("Add", {to.add("Erf", {scaled}), to.real(1)}), to.real(0.5)});
  }
};

const RegisterOp<NormalCdfOp> normal_cdf_registered;

}  // namespace

Var normal_cdf(Var x) { return x.graph().apply(std::make_shared<NormalCdfOp>(), {x}); }

}  // namespace gatewise

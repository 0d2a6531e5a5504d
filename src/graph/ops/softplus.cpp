#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class SoftplusOp final : public UnaryOp<SoftplusOp> {
 public:
  static constexpr const char* op_name = "softplus";
  static constexpr kernels::Unary function = kernels::Unary::Softplus;
  using UnaryOp::UnaryOp;

  std::string lower(const LoweringCall& call) const override {
    return call.to.add("Softplus", {call.inputs[0]});
  }
};

const RegisterOp<SoftplusOp> softplus_registered;

}  // namespace

Var softplus(Var x) { return x.graph().apply(std::make_shared<SoftplusOp>(), {x}); }

}  // namespace gatewise

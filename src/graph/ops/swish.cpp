#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class SwishOp final : public UnaryOp<SwishOp> {
 public:
  static constexpr const char* op_name = "swish";
  static constexpr kernels::Unary function = kernels::Unary::Swish;
  using UnaryOp::UnaryOp;

  std::string lower(const LoweringCall& call) const override {
    const std::string& x = call.inputs[0];
    return call.to.add("Mul", {x, call.to.add("Sigmoid", {x})});
  }
};

const RegisterOp<SwishOp> swish_registered;

}  // namespace

Var swish(Var x) { return x.graph().apply(std::make_shared<SwishOp>(), {x}); }

}  // namespace gatewise

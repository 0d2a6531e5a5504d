#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class SquareOp final : public UnaryOp<SquareOp> {
 public:
  static constexpr const char* op_name = "square";
  static constexpr kernels::Unary function = kernels::Unary::Square;
  using UnaryOp::UnaryOp;

  std::string lower(const LoweringCall& call) const override {
    return call.to.add("Mul", {call.inputs[0], call.inputs[0]});
  }
};

const RegisterOp<SquareOp> square_registered;

}  // namespace

Var square(Var x) { return x.graph().apply(std::make_shared<SquareOp>(), {x}); }

}  // namespace gatewise

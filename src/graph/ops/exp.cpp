#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class ExpOp final : public UnaryOp<ExpOp> {
 public:
  static constexpr const char* op_name = "exp";
  static constexpr kernels::Unary function = kernels::Unary::Exp;
  using UnaryOp::UnaryOp;
  bool backward_reads_input(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override { return call.to.add("Exp", {call.inputs[0]}); }
};

const RegisterOp<ExpOp> exp_registered;

}  // namespace

Var exp(Var x) { return x.graph().apply(std::make_shared<ExpOp>(), {x}); }

}  // namespace gatewise

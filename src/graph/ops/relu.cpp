#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class ReluOp final : public UnaryOp<ReluOp> {
 public:
  static constexpr const char* op_name = "relu";
  static constexpr kernels::Unary function = kernels::Unary::Relu;
  using UnaryOp::UnaryOp;
  bool backward_reads_input(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override { return call.to.add("Relu", {call.inputs[0]}); }
};

const RegisterOp<ReluOp> relu_registered;

}  // namespace

Var relu(Var x) { return x.graph().apply(std::make_shared<ReluOp>(), {x}); }

}  // namespace gatewise

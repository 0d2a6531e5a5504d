#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class TanhOp final : public UnaryOp<TanhOp> {
 public:
  static constexpr const char* op_name = "tanh";
  static constexpr kernels::Unary function = kernels::Unary::Tanh;
  using UnaryOp::UnaryOp;
  bool backward_reads_input(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override { return call.to.add("Tanh", {call.inputs[0]}); }
};

const RegisterOp<TanhOp> tanh_registered;

}  // namespace

Var tanh(Var x) { return x.graph().apply(std::make_shared<TanhOp>(), {x}); }

}  // namespace gatewise

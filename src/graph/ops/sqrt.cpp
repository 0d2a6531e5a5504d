#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class SqrtOp final : public UnaryOp<SqrtOp> {
 public:
  static constexpr const char* op_name = "sqrt";
  static constexpr kernels::Unary function = kernels::Unary::Sqrt;
  using UnaryOp::UnaryOp;
  bool backward_reads_input(int) const override { return false; }

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{7}, Domain::Row}}, .low = 0.2, .high = 3}};
  }

  std::string lower(const LoweringCall& call) const override { return call.to.add("Sqrt", {call.inputs[0]}); }
};

const RegisterOp<SqrtOp> sqrt_registered;

}  // namespace

Var sqrt(Var x) { return x.graph().apply(std::make_shared<SqrtOp>(), {x}); }

}  // namespace gatewise

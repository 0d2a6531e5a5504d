#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class SigmoidOp final : public UnaryOp<SigmoidOp> {
 public:
  static constexpr const char* op_name = "sigmoid";
  static constexpr kernels::Unary function = kernels::Unary::Sigmoid;
  using UnaryOp::UnaryOp;
  bool backward_reads_input(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override {
    return call.to.add("Sigmoid", {call.inputs[0]});
  }
};

const RegisterOp<SigmoidOp> sigmoid_registered;

}  // namespace

Var sigmoid(Var x) { return x.graph().apply(std::make_shared<SigmoidOp>(), {x}); }

}  // namespace gatewise

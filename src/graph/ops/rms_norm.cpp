#include "graph/norm_op.h"
#include "graph/ops.h"

namespace gatewise {
namespace {

class RmsNormOp final : public NormOp<RmsNormOp> {
 public:
  static constexpr const char* op_name = "rms_norm";
  static constexpr bool is_rms = true;
  using NormOp::NormOp;

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    const std::string square = to.add("Mul", {call.inputs[0], call.inputs[0]});
    const std::string mean = to.add("ReduceMean", {square}, {{"axes", {-1}}, {"keepdims", 1}});
    const std::string root = to.add("Sqrt", {to.add("Add", {mean, to.real(options_.epsilon)})});
    return to.add("Mul", {to.add("Div", {call.inputs[0], root}), call.inputs[1]});
  }
};

const RegisterOp<RmsNormOp> rms_norm_registered;

}  // namespace

Var rms_norm(Var x, Var scale, double epsilon) {
  return x.graph().apply(std::make_shared<RmsNormOp>(NormOptions{epsilon}), {x, scale});
}

}  // namespace gatewise

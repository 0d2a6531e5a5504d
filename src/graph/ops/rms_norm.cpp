#include "graph/norm_op.h"
#include "graph/ops.h"

namespace gatewise {
namespace {

class RmsNormOp final : public NormOp<RmsNormOp> {
 public:
  static constexpr const char* op_name = "rms_norm";
  static constexpr bool is_rms = true;
  using NormOp::NormOp;
};

const RegisterOp<RmsNormOp> rms_norm_registered;

}  // namespace

Var rms_norm(Var x, Var scale, double epsilon) {
  return x.graph().apply(std::make_shared<RmsNormOp>(NormOptions{epsilon}), {x, scale});
}

}  // namespace gatewise

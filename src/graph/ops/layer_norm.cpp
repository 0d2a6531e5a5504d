#include "graph/norm_op.h"
#include "graph/ops.h"

namespace gatewise {
namespace {

class LayerNormOp final : public NormOp<LayerNormOp> {
 public:
  static constexpr const char* op_name = "layer_norm";
  static constexpr bool is_rms = false;
  using NormOp::NormOp;
};

const RegisterOp<LayerNormOp> layer_norm_registered;

}  // namespace

Var layer_norm(Var x, Var scale, Var shift, double epsilon) {
  return x.graph().apply(std::make_shared<LayerNormOp>(NormOptions{epsilon}), {x, scale, shift});
}

}  // namespace gatewise

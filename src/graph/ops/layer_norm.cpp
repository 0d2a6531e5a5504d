#include "graph/norm_op.h"
#include "graph/ops.h"

namespace gatewise {
namespace {

class LayerNormOp final : public NormOp<LayerNormOp> {
 public:
  static constexpr const char* op_name = "layer_norm";
  static constexpr bool is_rms = false;
  using NormOp::NormOp;

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    const int64_t last = call.shapes[0].shape.last();
    if (call.shapes[1].shape == Shape{last})
      return to.add("LayerNormalization", call.inputs, {{"axis", -1}, {"epsilon", options_.epsilon}});
    const std::string ones = to.reals(std::vector<double>(last, 1), Shape{last});
    const std::string normal =
        to.add("LayerNormalization", {call.inputs[0], ones}, {{"axis", -1}, {"epsilon", options_.epsilon}});
    return to.add("Add", {to.add("Mul", {normal, call.inputs[1]}), call.inputs[2]});
  }
};

const RegisterOp<LayerNormOp> layer_norm_registered;

}  // namespace

Var layer_norm(Var x, Var scale, Var shift, double epsilon) {
  return x.graph().apply(std::make_shared<LayerNormOp>(NormOptions{epsilon}), {x, scale, shift});
}

}  // namespace gatewise

#include "graph/axis_op.h"
#include "graph/ops.h"

namespace gatewise {
namespace {

class SumOp final : public AxisOp<SumOp> {
 public:
  static constexpr const char* op_name = "sum";
  using AxisOp::AxisOp;

  template <class T>
  static T factor(int64_t /*size*/) {
    return T(1);
  }

  std::string lower(const LoweringCall& call) const override {
    return call.to.add("ReduceSum", {call.inputs[0], call.to.integers({call.axis_of(0, options_.axis)})},
                       {{"keepdims", 0}});
  }
};

const RegisterOp<SumOp> sum_registered;

}  // namespace

Var sum(Var x, int64_t axis) { return x.graph().apply(std::make_shared<SumOp>(AxisOptions{axis}), {x}); }

}  // namespace gatewise

#include "graph/axis_op.h"
#include "graph/ops.h"

namespace gatewise {
namespace {

class MeanOp final : public AxisOp<MeanOp> {
 public:
  static constexpr const char* op_name = "mean";
  using AxisOp::AxisOp;

  template <class T>
  static T factor(int64_t size) {
    return T(1) / static_cast<T>(size);
  }

  std::string lower(const LoweringCall& call) const override {
    return call.to.add("ReduceMean", {call.inputs[0]},
                       {{"axes", {call.axis_of(0, options_.axis)}}, {"keepdims", 0}});
  }
};

const RegisterOp<MeanOp> mean_registered;

}  // namespace

Var mean(Var x, int64_t axis) { return x.graph().apply(std::make_shared<MeanOp>(AxisOptions{axis}), {x}); }

}  // namespace gatewise

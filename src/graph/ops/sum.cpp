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
};

const RegisterOp<SumOp> sum_registered;

}  // namespace

Var sum(Var x, int64_t axis) { return x.graph().apply(std::make_shared<SumOp>(AxisOptions{axis}), {x}); }

}  // namespace gatewise

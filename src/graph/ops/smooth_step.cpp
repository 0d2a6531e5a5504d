#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

struct SmoothStepOpOptions {
  double gamma = 1;
  void declare(OptionSet& set) { set.add("gamma", &gamma, "width of the step").above(0); }
};

class SmoothStepOp final : public UnaryOp<SmoothStepOp, SmoothStepOpOptions> {
 public:
  static constexpr const char* op_name = "smooth_step";
  static constexpr kernels::Unary function = kernels::Unary::SmoothStep;
  using UnaryOp::UnaryOp;
  double parameter() const { return options_.gamma; }
};

const RegisterOp<SmoothStepOp> smooth_step_registered;

}  // namespace

Var smooth_step(Var x, double gamma) {
  return x.graph().apply(std::make_shared<SmoothStepOp>(SmoothStepOpOptions{gamma}), {x});
}

}  // namespace gatewise

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

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    const std::string& x = call.inputs[0];
    const double gamma = parameter(), half = gamma / 2;
    const std::string square = to.add("Mul", {x, x});
    const std::string slope =
        to.add("Add", {to.add("Mul", {square, to.real(-2 / (gamma * gamma * gamma))}), to.real(1.5 / gamma)});
    const std::string cubic = to.add("Add", {to.add("Mul", {x, slope}), to.real(0.5)});
    // Exactly 0 and 1 outside.
    const std::string above =
        to.add("Where", {to.add("GreaterOrEqual", {x, to.real(half)}), to.real(1), cubic});
    return to.add("Where", {to.add("LessOrEqual", {x, to.real(-half)}), to.real(0), above});
  }
};

const RegisterOp<SmoothStepOp> smooth_step_registered;

}  // namespace

Var smooth_step(Var x, double gamma) {
  return x.graph().apply(std::make_shared<SmoothStepOp>(SmoothStepOpOptions{gamma}), {x});
}

}  // namespace gatewise

#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

struct LeakyReluOpOptions {
  double slope = 0.01;
  void declare(OptionSet& set) { set.add("slope", &slope, "slope of the negative side").above(0); }
};

class LeakyReluOp final : public UnaryOp<LeakyReluOp, LeakyReluOpOptions> {
 public:
  static constexpr const char* op_name = "leaky_relu";
  static constexpr kernels::Unary function = kernels::Unary::LeakyRelu;
  using UnaryOp::UnaryOp;
  double parameter() const { return options_.slope; }

  std::string lower(const LoweringCall& call) const override {
    return call.to.add("LeakyRelu", {call.inputs[0]}, {{"alpha", parameter()}});
  }
};

const RegisterOp<LeakyReluOp> leaky_relu_registered;

}  // namespace

Var leaky_relu(Var x, double slope) {
  return x.graph().apply(std::make_shared<LeakyReluOp>(LeakyReluOpOptions{slope}), {x});
}

}  // namespace gatewise

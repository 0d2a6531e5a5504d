#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

struct EluOpOptions {
  double alpha = 1;
  void declare(OptionSet& set) { set.add("alpha", &alpha, "limit of the negative side").above(0); }
};

class EluOp final : public UnaryOp<EluOp, EluOpOptions> {
 public:
  static constexpr const char* op_name = "elu";
  static constexpr kernels::Unary function = kernels::Unary::Elu;
  using UnaryOp::UnaryOp;
  double parameter() const { return options_.alpha; }

  std::string lower(const LoweringCall& call) const override {
    return call.to.add("Elu", {call.inputs[0]}, {{"alpha", parameter()}});
  }
};

const RegisterOp<EluOp> elu_registered;

}  // namespace

Var elu(Var x, double alpha) { return x.graph().apply(std::make_shared<EluOp>(EluOpOptions{alpha}), {x}); }

}  // namespace gatewise

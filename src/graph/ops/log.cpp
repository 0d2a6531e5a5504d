#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class LogOp final : public UnaryOp<LogOp> {
 public:
  static constexpr const char* op_name = "log";
  static constexpr kernels::Unary function = kernels::Unary::Log;
  using UnaryOp::UnaryOp;

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{7}, Domain::Row}}, .low = 0.2, .high = 3}};
  }

  std::string lower(const LoweringCall& call) const override { return call.to.add("Log", {call.inputs[0]}); }
};

const RegisterOp<LogOp> log_registered;

}  // namespace

Var log(Var x) { return x.graph().apply(std::make_shared<LogOp>(), {x}); }

}  // namespace gatewise

#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class GeluOp final : public UnaryOp<GeluOp> {
 public:
  static constexpr const char* op_name = "gelu";
  static constexpr kernels::Unary function = kernels::Unary::GeluExact;
  using UnaryOp::UnaryOp;
};

const RegisterOp<GeluOp> gelu_registered;

}  // namespace

Var gelu(Var x) { return x.graph().apply(std::make_shared<GeluOp>(), {x}); }

}  // namespace gatewise

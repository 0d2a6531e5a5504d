#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class GeluTanhOp final : public UnaryOp<GeluTanhOp> {
 public:
  static constexpr const char* op_name = "gelu_tanh";
  static constexpr kernels::Unary function = kernels::Unary::GeluTanh;
  using UnaryOp::UnaryOp;
};

const RegisterOp<GeluTanhOp> gelu_tanh_registered;

}  // namespace

Var gelu_tanh(Var x) { return x.graph().apply(std::make_shared<GeluTanhOp>(), {x}); }

}  // namespace gatewise

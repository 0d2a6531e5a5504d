#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class SwishOp final : public UnaryOp<SwishOp> {
 public:
  static constexpr const char* op_name = "swish";
  static constexpr kernels::Unary function = kernels::Unary::Swish;
  using UnaryOp::UnaryOp;
};

const RegisterOp<SwishOp> swish_registered;

}  // namespace

Var swish(Var x) { return x.graph().apply(std::make_shared<SwishOp>(), {x}); }

}  // namespace gatewise

#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class SquareOp final : public UnaryOp<SquareOp> {
 public:
  static constexpr const char* op_name = "square";
  static constexpr kernels::Unary function = kernels::Unary::Square;
  using UnaryOp::UnaryOp;
};

const RegisterOp<SquareOp> square_registered;

}  // namespace

Var square(Var x) { return x.graph().apply(std::make_shared<SquareOp>(), {x}); }

}  // namespace gatewise

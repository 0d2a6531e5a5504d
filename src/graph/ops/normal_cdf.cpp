#include "graph/ops.h"
#include "graph/unary_op.h"

namespace gatewise {
namespace {

class NormalCdfOp final : public UnaryOp<NormalCdfOp> {
 public:
  static constexpr const char* op_name = "normal_cdf";
  static constexpr kernels::Unary function = kernels::Unary::NormalCdf;
  using UnaryOp::UnaryOp;
};

const RegisterOp<NormalCdfOp> normal_cdf_registered;

}  // namespace

Var normal_cdf(Var x) { return x.graph().apply(std::make_shared<NormalCdfOp>(), {x}); }

}  // namespace gatewise

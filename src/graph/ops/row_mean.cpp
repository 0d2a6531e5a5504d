#include "graph/ops.h"
#include "graph/reduction_op.h"

namespace gatewise {
namespace {

class RowMeanOp final : public RowSumOp<RowMeanOp> {
 public:
  static constexpr const char* op_name = "row_mean";
  using RowSumOp::RowSumOp;

  static double factor(int64_t rows) { return rows == 0 ? 0 : 1 / static_cast<double>(rows); }
};

const RegisterOp<RowMeanOp> row_mean_registered;

}  // namespace

Var row_mean(Var x) { return x.graph().apply(std::make_shared<RowMeanOp>(), {x}); }

}  // namespace gatewise

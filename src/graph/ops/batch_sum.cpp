#include "graph/ops.h"
#include "graph/reduction_op.h"

namespace gatewise {
namespace {

class BatchSumOp final : public RowSumOp<BatchSumOp> {
 public:
  static constexpr const char* op_name = "batch_sum";
  using RowSumOp::RowSumOp;

  static double factor(int64_t /*rows*/) { return 1; }
};

const RegisterOp<BatchSumOp> batch_sum_registered;

}  // namespace

Var batch_sum(Var x) { return x.graph().apply(std::make_shared<BatchSumOp>(), {x}); }

}  // namespace gatewise

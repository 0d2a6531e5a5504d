#include "graph/linear_op.h"

namespace gatewise {
namespace {

// A tile belongs to one branch and uses that branch's block of the weight and of the bias.
class RoutedLinearOp final : public LinearOpBase<RoutedLinearOp> {
 public:
  static constexpr const char* op_name = "routed_linear";
  static constexpr const char* weight_form = "[branches, in, out]";
  static constexpr int64_t weight_rank = 3;
  using LinearOpBase::LinearOpBase;

  void check_x(const Signature& x, const Shape&) const {
    require(x.domain == Domain::Routed, "x must be a value of routed rows; gather it first");
  }

  template <class T>
  int64_t weight_block(const Call<T>& call, int64_t) const {
    // The shape rule sees no branch count: values know their route, not its width.
    const int64_t branches = call.shapes[1].shape[0];
    require(call.route->branches == branches, "the weight has {} branches, expected {} as the route has",
            branches, call.route->branches);
    return call.branch;
  }
};

const RegisterOp<RoutedLinearOp> routed_linear_registered;

}  // namespace

Var routed_linear(Var x, Var weight, Var bias, Activation activation) {
  return apply_linear<RoutedLinearOp>(x, weight, bias, activation);
}

}  // namespace gatewise

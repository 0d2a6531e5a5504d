#include "graph/linear_op.h"

namespace gatewise {
namespace {

struct RoutedLinearOptions : LinearOptions {
  int64_t side_by_side = 1;
  void declare(OptionSet& set) {
    LinearOptions::declare(set);
    set.add("side_by_side", &side_by_side, "branches whose weights lie side by side; 1: one below the other")
        .range(1);
  }
};

// A tile belongs to one branch and uses that branch's block of the weight and of the bias.
class RoutedLinearOp final : public LinearOpBase<RoutedLinearOp, RoutedLinearOptions> {
 public:
  static constexpr const char* op_name = "routed_linear";
  static constexpr const char* weight_form = "[branches, in, out] or [in, branches * out]";
  static constexpr int64_t weight_rank = 3;
  static constexpr bool takes_side_by_side = true;
  using LinearOpBase::LinearOpBase;

  int64_t column_blocks() const override { return options_.side_by_side; }
  bool owns_branch(int input) const override { return input > 0; }

  void check_x(const Signature& x, const Shape&) const {
    require(x.domain == Domain::Routed, "x must be a value of routed rows; gather it first");
  }

  template <class T>
  int64_t weight_block(const Call<T>& call, int64_t) const {
    // The shape rule sees no branch count: values know their route, not its width.
    const Shape& weight = call.shapes[1].shape;
    const int64_t branches = weight.rank() == 3 ? weight[0] : options_.side_by_side;
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

Var routed_linear_side_by_side(Var x, Var weight, Var bias, Activation activation, int64_t branches) {
  RoutedLinearOptions options;
  options.side_by_side = branches;
  return apply_linear<RoutedLinearOp>(x, weight, bias, activation, options);
}

}  // namespace gatewise

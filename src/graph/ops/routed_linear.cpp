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

  void check_x(const Signature& x, const Shape& weight) const {
    require(x.domain == Domain::Routed, "x must be a value of routed rows; gather it first");
    require(weight.rank() == 2 || options_.side_by_side == 1,
            "{} branches side by side need a weight of two axes, got {}", options_.side_by_side,
            weight.text());
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

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    const bool has_bias = call.inputs.size() == 3;
    const int64_t out = call.shape.shape.last();
    if (call.shapes[1].shape.rank() == 3) {
      if (call.branch < 0) return activated(call, lower_groups(call, 2 + call.shapes[0].shape.rank()));
      std::string y = to.add("MatMul", {call.inputs[0], call.of_branch(1)});
      if (has_bias) y = to.add("Add", {y, call.of_branch(2)});
      return activated(call, y);
    }
    const auto block = [&](size_t input) {
      const int64_t begin = call.branch * out;
      if (call.branch < 0) return call.inputs[input];
      return to.add(
          "Slice", {call.inputs[input], to.integers({begin}), to.integers({begin + out}), to.integers({-1})});
    };
    std::string y = to.add("MatMul", {call.inputs[0], block(1)});
    if (has_bias) y = to.add("Add", {y, block(2)});
    // The branches that lie side by side become an axis: [rows, 1, branches * out] -> [rows, branches, out].
    if (call.branch < 0) y = to.add("Reshape", {y, to.integers({0, options_.side_by_side, out})});
    return activated(call, y);
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

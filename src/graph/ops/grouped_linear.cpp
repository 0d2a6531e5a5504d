#include "graph/linear_op.h"

namespace gatewise {
namespace {

class GroupedLinearOp final : public LinearOpBase<GroupedLinearOp> {
 public:
  static constexpr const char* op_name = "grouped_linear";
  static constexpr const char* weight_form = "[groups, in, out]";
  static constexpr int64_t weight_rank = 3;
  using LinearOpBase::LinearOpBase;

  void check_x(const Signature& x, const Shape& weight) const {
    require(x.shape.rank() >= 2 && x.shape[-2] == weight[0], "x {} does not fit weight {}", x.shape.text(),
            weight.text());
  }

  template <class T>
  int64_t weight_block(const Call<T>& call, int64_t block) const {
    return block % call.shapes[1].shape[0];
  }

  std::optional<BlockProduct> block_product(std::span<const Signature> inputs) const override {
    return as_block_product(inputs);
  }

  std::vector<OpCase> cases() const override {
    const Json relu_options = {{"activation", "relu"}};
    return {{.inputs = {{Shape{3, 5}, Domain::Row},
                        {Shape{3, 5, 4}, Domain::Static},
                        {Shape{3, 4}, Domain::Static}}},
            {.options = relu_options,
             .inputs = {{Shape{2, 2, 6}, Domain::Row}, {Shape{2, 6, 1}, Domain::Static}}}};
  }

  std::string lower(const LoweringCall& call) const override {
    return activated(call, lower_groups(call, call.leading[0] + call.shapes[0].shape.rank()));
  }
};

const RegisterOp<GroupedLinearOp> grouped_linear_registered;

}  // namespace

Var grouped_linear(Var x, Var weight, Var bias, Activation activation) {
  return apply_linear<GroupedLinearOp>(x, weight, bias, activation);
}

}  // namespace gatewise

#include "graph/linear_op.h"

namespace gatewise {
namespace {

class LinearOp final : public LinearOpBase<LinearOp> {
 public:
  static constexpr const char* op_name = "linear";
  static constexpr const char* weight_form = "[in, out]";
  static constexpr int64_t weight_rank = 2;
  static constexpr bool takes_row_bias = true;
  using LinearOpBase::LinearOpBase;

  void check_x(const Signature&, const Shape&) const {}

  template <class T>
  int64_t weight_block(const Call<T>&, int64_t) const {
    return 0;
  }

  std::optional<BlockProduct> block_product(std::span<const Signature> inputs) const override {
    return as_block_product(inputs);
  }

  std::vector<OpCase> cases() const override {
    const Json relu_options = {{"activation", "relu"}};
    return {
        {.inputs = {{Shape{5}, Domain::Row}, {Shape{5, 7}, Domain::Static}, {Shape{7}, Domain::Static}}},
        {.inputs = {{Shape{3, 4}, Domain::Row}, {Shape{4, 9}, Domain::Static}}},
        {.options = relu_options,
         .inputs = {{Shape{6}, Domain::Row}, {Shape{6, 17}, Domain::Static}, {Shape{17}, Domain::Static}}},
        {.inputs = {{Shape{4}, Domain::Row}, {Shape{4, 5}, Domain::Static}, {Shape{5}, Domain::Row}}},
        {.options = relu_options,
         .inputs = {{Shape{2, 40}, Domain::Row}, {Shape{40, 1}, Domain::Static}, {Shape{1}, Domain::Row}}}};
  }

  std::string lower(const LoweringCall& call) const override {
    std::string y = call.to.add("MatMul", {call.inputs[0], call.inputs[1]});
    if (call.inputs.size() == 3) y = call.to.add("Add", {y, call.aligned(2)});
    return activated(call, y);
  }
};

const RegisterOp<LinearOp> linear_registered;

}  // namespace

Var linear(Var x, Var weight, Var bias, Activation activation) {
  return apply_linear<LinearOp>(x, weight, bias, activation);
}

}  // namespace gatewise

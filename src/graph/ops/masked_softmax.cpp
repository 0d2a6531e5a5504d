#include "graph/ops.h"

namespace gatewise {
namespace {

class MaskedSoftmaxOp final : public OpBase<MaskedSoftmaxOp> {
 public:
  static constexpr const char* op_name = "masked_softmax";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 2);
    const Shape& x = inputs[0].shape;
    const Shape& mask = inputs[1].shape;
    require(x.rank() >= 1, "needs an axis, got a scalar");
    require(mask == x || mask == Shape{x.last()}, "the mask must be {} or [{}], got {}", x.text(), x.last(),
            mask.text());
    Signature output = joined(name(), inputs);
    output.shape = x;
    return output;
  }

  bool backward_reads_input(int) const override { return false; }
  bool backward_reads_output() const override { return true; }
  bool has_gradient(int input) const override { return input == 0; }

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    const std::string is_masked = to.add("Equal", {call.aligned(1), to.real(0)});
    const std::string weights =
        to.add("Softmax", {to.add("Where", {is_masked, to.real(-1e38), call.aligned(0)})}, {{"axis", -1}});
    return to.add("Where", {is_masked, to.real(0), weights});
  }

  template <class T>
  void run(const Call<T>& call) const {
    const int64_t entries = call.shape->shape.last(), groups = call.shape->shape.outer();
    const int64_t mask_step = call.shapes[1].shape == call.shapes[0].shape ? entries : 0;
    for (int64_t row = 0; row < call.rows; ++row) {
      for (int64_t group = 0; group < groups; ++group) {
        one_group(entries, call.inputs[0].data + row * call.inputs[0].stride + group * entries,
                  call.inputs[1].data + row * call.inputs[1].stride + group * mask_step,
                  call.output.data + row * call.output.stride + group * entries);
      }
    }
  }

  // Masked entries have weight 0, which makes their gradient 0 in the gradient of the plain softmax.
  template <class T>
  void gradient(const Call<T>& call) const {
    kernels::softmax_backward(call.rows, call.shape->shape.outer(), call.shape->shape.last(),
                              ConstRows<T>(call.output), ConstRows<T>(call.d_output), call.d_inputs[0],
                              call.accumulate[0]);
  }

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{6}, Domain::Row}, {Shape{6}, Domain::Row}},
             .low = -2,
             .high = 2,
             .no_gradient = {1}},
            {.inputs = {{Shape{3, 4}, Domain::Row}, {Shape{4}, Domain::Static}}, .no_gradient = {1}},
            {.inputs = {{Shape{2, 4}, Domain::Row}, {Shape{2, 4}, Domain::Static}}, .no_gradient = {1}}};
  }

 private:
  template <class T>
  static void one_group(int64_t entries, const T* x, const T* mask, T* y) {
    T largest = 0;
    bool is_empty = true;
    for (int64_t i = 0; i < entries; ++i) {
      if (mask[i] == T(0)) continue;
      // Written so that a value that is not a number stays visible in the result.
      if (is_empty || !(x[i] <= largest)) largest = x[i];
      is_empty = false;
    }
    T total = 0;
    for (int64_t i = 0; i < entries; ++i) {
      y[i] = mask[i] == T(0) ? T(0) : std::exp(x[i] - largest);
      total += y[i];
    }
    if (is_empty) return;
    for (int64_t i = 0; i < entries; ++i) y[i] /= total;
  }
};

const RegisterOp<MaskedSoftmaxOp> masked_softmax_registered;

}  // namespace

Var masked_softmax(Var x, Var mask) {
  return x.graph().apply(std::make_shared<MaskedSoftmaxOp>(), {x, mask});
}

}  // namespace gatewise

#include "graph/ops.h"

namespace gatewise {
namespace {

class SelectOp final : public OpBase<SelectOp> {
 public:
  static constexpr const char* op_name = "select";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 3);
    for (const Signature& input : inputs) {
      require(input.shape == inputs[0].shape,
              "the condition and both values must have one shape, got {}, {} and {}", inputs[0].shape.text(),
              inputs[1].shape.text(), inputs[2].shape.text());
    }
    Signature output = joined(name(), inputs);
    output.shape = inputs[0].shape;
    return output;
  }

  bool has_gradient(int input) const override { return input != 0; }
  bool backward_reads_input(int input) const override { return input == 0; }

  std::string lower(const LoweringCall& call) const override {
    const std::string is_zero = call.to.add("Equal", {call.aligned(0), call.to.real(0)});
    return call.to.add("Where", {is_zero, call.aligned(2), call.aligned(1)});
  }

  template <class T>
  void run(const Call<T>& call) const {
    const int64_t width = call.shape->shape.elements();
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* condition = call.inputs[0].data + row * call.inputs[0].stride;
      const T* a = call.inputs[1].data + row * call.inputs[1].stride;
      const T* b = call.inputs[2].data + row * call.inputs[2].stride;
      T* y = call.output.data + row * call.output.stride;
      for (int64_t i = 0; i < width; ++i) y[i] = condition[i] != T(0) ? a[i] : b[i];
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const int64_t width = call.shape->shape.elements();
    for (int operand = 1; operand <= 2; ++operand) {
      if (call.d_inputs[operand].data == nullptr) continue;
      for (int64_t row = 0; row < call.rows; ++row) {
        const T* condition = call.inputs[0].data + row * call.inputs[0].stride;
        const T* dy = call.d_output.data + row * call.d_output.stride;
        T* into = call.d_inputs[operand].data + row * call.d_inputs[operand].stride;
        for (int64_t i = 0; i < width; ++i) {
          const T value = (condition[i] != T(0)) == (operand == 1) ? dy[i] : T(0);
          into[i] = call.accumulate[operand] ? into[i] + value : value;
        }
      }
    }
  }

  std::vector<OpCase> cases() const override {
    const Signature row{Shape{2, 4}, Domain::Row}, whole{Shape{2, 4}, Domain::Static};
    return {{.inputs = {row, row, row}, .no_gradient = {0}},
            {.inputs = {row, whole, row}, .no_gradient = {0}}};
  }
};

const RegisterOp<SelectOp> select_registered;

}  // namespace

Var select(Var condition, Var a, Var b) {
  return condition.graph().apply(std::make_shared<SelectOp>(), {condition, a, b});
}

}  // namespace gatewise

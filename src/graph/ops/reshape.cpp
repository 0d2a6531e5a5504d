#include "graph/ops.h"

namespace gatewise {
namespace {

struct ReshapeOptions {
  std::vector<int64_t> shape;
  void declare(OptionSet& set) { set.add("shape", &shape, "the new sizes").range(0); }
};

class ReshapeOp final : public OpBase<ReshapeOp, ReshapeOptions> {
 public:
  static constexpr const char* op_name = "reshape";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 1);
    Signature output = inputs[0];
    output.shape = Shape(options_.shape);
    int64_t elements = 1;
    bool overflows = false;
    for (const int64_t size : options_.shape)
      overflows = overflows || __builtin_mul_overflow(elements, size, &elements);
    require(!overflows && elements == inputs[0].shape.elements(), "{} cannot become {}",
            inputs[0].shape.text(), output.shape.text());
    return output;
  }

  bool is_view() const override { return true; }
  bool backward_reads_input(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override {
    if (call.shapes[0].shape == call.shape.shape) return call.inputs[0];
    return call.reshaped(call.inputs[0], call.shape.shape);
  }

  template <class T>
  void run(const Call<T>& call) const {
    kernels::scaled_add(call.rows, call.shape->shape.elements(), T(1), call.inputs[0], call.output, false);
  }
  template <class T>
  void gradient(const Call<T>& call) const {
    kernels::scaled_add(call.rows, call.shape->shape.elements(), T(1), ConstRows<T>(call.d_output),
                        call.d_inputs[0], call.accumulate[0]);
  }

  std::vector<OpCase> cases() const override {
    return {{.options = {{"shape", {2, 6}}}, .inputs = {{Shape{3, 4}, Domain::Row}}},
            {.options = {{"shape", {6}}}, .inputs = {{Shape{2, 3}, Domain::Static}}}};
  }
};

const RegisterOp<ReshapeOp> reshape_registered;

}  // namespace

Var reshape(Var x, Shape shape) {
  return x.graph().apply(std::make_shared<ReshapeOp>(ReshapeOptions{std::move(shape.sizes)}), {x});
}

}  // namespace gatewise

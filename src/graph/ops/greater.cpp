#include "graph/binary_op.h"
#include "graph/ops.h"

namespace gatewise {
namespace {

class GreaterOp final : public OpBase<GreaterOp> {
 public:
  static constexpr const char* op_name = "greater";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 2);
    Signature output = joined(name(), inputs);
    output.shape = Broadcast::result(name(), inputs[0].shape, inputs[1].shape);
    return output;
  }

  bool has_gradient(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override {
    const std::string is_greater = call.to.add("Greater", {call.aligned(0), call.aligned(1)});
    return call.to.add("Cast", {is_greater}, {{"to", Lowering::real_type}});
  }

  template <class T>
  void run(const Call<T>& call) const {
    const Broadcast broadcast(call.shapes[0].shape, call.shapes[1].shape);
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* a = call.inputs[0].data + row * call.inputs[0].stride;
      const T* b = call.inputs[1].data + row * call.inputs[1].stride;
      T* y = call.output.data + row * call.output.stride;
      broadcast.each([&](int64_t i, int64_t ia, int64_t ib) { y[i] = a[ia] > b[ib] ? T(1) : T(0); });
    }
  }
  template <class T>
  void gradient(const Call<T>&) const {}

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{5}, Domain::Row}, {Shape{5}, Domain::Row}}, .no_gradient = {0, 1}},
            {.inputs = {{Shape{2, 3}, Domain::Row}, {Shape{}, Domain::Static}}, .no_gradient = {0, 1}}};
  }
};

const RegisterOp<GreaterOp> greater_registered;

}  // namespace

Var greater(Var a, Var b) { return a.graph().apply(std::make_shared<GreaterOp>(), {a, b}); }

}  // namespace gatewise

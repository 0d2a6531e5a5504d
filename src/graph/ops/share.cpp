#include "graph/ops.h"

namespace gatewise {
namespace {

// y = x / s with s = sum of x: dx = (dy - sum of dy y) / s.
class ShareOp final : public OpBase<ShareOp> {
 public:
  static constexpr const char* op_name = "share";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 1);
    require(inputs[0].shape.rank() >= 1, "needs an axis, got a scalar");
    return inputs[0];
  }

  bool backward_reads_output() const override { return true; }

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    const std::string total = to.add("ReduceSum", {call.inputs[0], to.integers({-1})}, {{"keepdims", 1}});
    const std::string is_zero = to.add("Equal", {total, to.real(0)});
    const std::string divisor = to.add("Where", {is_zero, to.real(1), total});
    return to.add("Where", {is_zero, to.real(0), to.add("Div", {call.inputs[0], divisor})});
  }

  template <class T>
  void run(const Call<T>& call) const {
    each_group(call, [&](int64_t row, int64_t first, int64_t count) {
      const T* x = call.inputs[0].data + row * call.inputs[0].stride + first;
      T* y = call.output.data + row * call.output.stride + first;
      const T total = total_of(x, count);
      for (int64_t i = 0; i < count; ++i) y[i] = total == T(0) ? T(0) : x[i] / total;
    });
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    each_group(call, [&](int64_t row, int64_t first, int64_t count) {
      const T* x = call.inputs[0].data + row * call.inputs[0].stride + first;
      const T* y = call.output.data + row * call.output.stride + first;
      const T* dy = call.d_output.data + row * call.d_output.stride + first;
      T* dx = call.d_inputs[0].data + row * call.d_inputs[0].stride + first;
      const T total = total_of(x, count);
      T dot = 0;
      for (int64_t i = 0; i < count; ++i) dot += dy[i] * y[i];
      for (int64_t i = 0; i < count; ++i) {
        const T value = total == T(0) ? T(0) : (dy[i] - dot) / total;
        dx[i] = call.accumulate[0] ? dx[i] + value : value;
      }
    });
  }

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{5}, Domain::Row}}, .low = 0.1, .high = 2},
            {.inputs = {{Shape{2, 3}, Domain::Row}}, .low = 0.1, .high = 2},
            {.inputs = {{Shape{4}, Domain::Static}}, .low = 0.1, .high = 2}};
  }

 private:
  template <class T>
  static T total_of(const T* x, int64_t count) {
    T total = 0;
    for (int64_t i = 0; i < count; ++i) total += x[i];
    return total;
  }

  // visit(row, first element of a group, entries of the group).
  template <class T, class Visit>
  static void each_group(const Call<T>& call, const Visit& visit) {
    const int64_t count = call.shape->shape.last(), width = call.shape->shape.elements();
    for (int64_t row = 0; row < call.rows; ++row) {
      for (int64_t first = 0; first < width; first += count) visit(row, first, count);
    }
  }
};

const RegisterOp<ShareOp> share_registered;

}  // namespace

Var share(Var x) { return x.graph().apply(std::make_shared<ShareOp>(), {x}); }

}  // namespace gatewise

#include "graph/ops.h"

namespace gatewise {
namespace {

class TransposeOp final : public OpBase<TransposeOp> {
 public:
  static constexpr const char* op_name = "transpose";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 1);
    require(inputs[0].shape.rank() >= 2, "needs two axes, got {}", inputs[0].shape.text());
    Signature output = inputs[0];
    std::swap(output.shape.sizes[output.shape.rank() - 1], output.shape.sizes[output.shape.rank() - 2]);
    return output;
  }

  bool backward_reads_input(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override {
    std::vector<int64_t> axes;
    const int64_t rank = call.leading[0] + call.shapes[0].shape.rank();
    for (int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
    std::swap(axes[rank - 1], axes[rank - 2]);
    return call.to.add("Transpose", {call.inputs[0]}, {{"perm", axes}});
  }

  template <class T>
  void run(const Call<T>& call) const {
    each(call, call.inputs[0], [&](int64_t row, int64_t to, const T* from) {
      call.output.data[row * call.output.stride + to] = *from;
    });
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const bool adds = call.accumulate[0] || call.shapes[0].domain == Domain::Static;
    each(call, call.d_inputs[0], [&](int64_t row, int64_t to, T* into) {
      const T dy = call.d_output.data[row * call.d_output.stride + to];
      *into = adds ? *into + dy : dy;
    });
  }

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{2, 3}, Domain::Row}}},
            {.inputs = {{Shape{2, 3, 4}, Domain::Row}}},
            {.inputs = {{Shape{4, 3}, Domain::Static}}}};
  }

 private:
  // visit(row, element of the output, element of x).
  template <class T, class RowsType, class Visit>
  static void each(const Call<T>& call, const RowsType& x, const Visit& visit) {
    const Shape& shape = call.shapes[0].shape;
    const int64_t height = shape[-2], width = shape.last(), groups = shape.elements() / (height * width);
    for (int64_t row = 0; row < call.rows; ++row) {
      for (int64_t line = 0; line < groups * height; ++line) {
        auto* from = x.data + row * x.stride + line * width;
        const int64_t group = line / height;
        for (int64_t i = 0; i < width; ++i)
          visit(row, (group * width + i) * height + line % height, from + i);
      }
    }
  }
};

const RegisterOp<TransposeOp> transpose_registered;

}  // namespace

Var transpose(Var x) { return x.graph().apply(std::make_shared<TransposeOp>(), {x}); }

}  // namespace gatewise

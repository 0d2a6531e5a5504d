#include "graph/ops.h"
#include "kernels/matmul.h"

namespace gatewise {
namespace {

struct GroupedLinearOptions {
  std::string activation = "none";
  void declare(OptionSet& set) {
    set.add("activation", &activation, "fused activation").choices({"none", "relu"});
  }
};

class GroupedLinearOp final : public OpBase<GroupedLinearOp, GroupedLinearOptions> {
 public:
  static constexpr const char* op_name = "grouped_linear";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require(inputs.size() == 2 || inputs.size() == 3, "takes x, weight and optionally bias, got {} inputs",
            inputs.size());
    const Shape& x = inputs[0].shape;
    const Shape& weight = inputs[1].shape;
    require(weight.rank() == 3 && inputs[1].domain == Domain::Static,
            "the weight must be [groups, in, out], got {}", weight.text());
    require(x.rank() >= 2 && x[-2] == weight[0] && x.last() == weight[1], "x {} does not fit weight {}",
            x.text(), weight.text());
    if (inputs.size() == 3) {
      const Shape expected{weight[0], weight[2]};
      require(inputs[2].shape == expected, "bias {} does not fit weight {}", inputs[2].shape.text(),
              weight.text());
    }
    Signature output = inputs[0];
    output.shape.sizes.back() = weight[2];
    return output;
  }

  bool reads_matrix(int input) const override { return input == 1; }
  bool backward_reads_input(int input) const override { return input < 2; }
  bool backward_reads_output() const override { return is_relu(); }
  bool masks_gradient() const override { return is_relu(); }

  template <class T>
  void run(const Call<T>& call) const {
    const Sizes size(call);
    for (int64_t block = 0; block < size.blocks; ++block) {
      const int64_t group = block % size.groups;
      kernels::Product<T> product;
      product.rows = call.rows;
      product.depth = size.in;
      product.columns = size.out;
      product.a = call.inputs[0].data + block * size.in;
      product.a_stride = call.inputs[0].stride;
      product.b = call.inputs[1].data + group * size.in * call.inputs[1].stride;
      product.b_stride = call.inputs[1].stride;
      product.bias = call.inputs.size() == 3 ? call.inputs[2].data + group * size.out : nullptr;
      product.c = call.output.data + block * size.out;
      product.c_stride = call.output.stride;
      product.activation = is_relu() ? Activation::Relu : Activation::None;
      call.packed.empty() ? kernels::multiply(product) : kernels::multiply(product, call.packed[group]);
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const Sizes size(call);
    if (is_relu() && !call.is_d_output_masked) {
      kernels::unary_backward(kernels::Unary::Relu, T(0), call.rows, size.blocks * size.out, ConstRows<T>(),
                              ConstRows<T>(call.output), ConstRows<T>(call.d_output), call.d_output, false);
    }
    for (int64_t block = 0; block < size.blocks; ++block) {
      const int64_t group = block % size.groups;
      const T* x = call.inputs[0].data + block * size.in;
      const T* dy = call.d_output.data + block * size.out;
      if (call.d_inputs[1].data != nullptr) {
        const int64_t stride = call.d_inputs[1].stride;
        kernels::multiply_transposed(kernels::TransposedProduct<T>{
            call.rows, size.in, size.out, x, call.inputs[0].stride, dy, call.d_output.stride,
            call.d_inputs[1].data + group * size.in * stride, stride, true});
      }
      if (call.inputs.size() == 3 && call.d_inputs[2].data != nullptr) {
        kernels::column_sums(call.rows, size.out, ConstRows<T>(dy, call.d_output.stride),
                             call.d_inputs[2].data + group * size.out, true);
      }
      if (call.d_inputs[0].data != nullptr) {
        kernels::Product<T> product;
        product.rows = call.rows;
        product.depth = size.out;
        product.columns = size.in;
        product.a = dy;
        product.a_stride = call.d_output.stride;
        product.c = call.d_inputs[0].data + block * size.in;
        product.c_stride = call.d_inputs[0].stride;
        product.accumulate = call.accumulate[0];
        if (call.packed_transposed.empty()) {
          kernels::Packed<T> panels;
          panels.pack_transposed(size.out, size.in,
                                 call.inputs[1].data + group * size.in * call.inputs[1].stride,
                                 call.inputs[1].stride);
          kernels::multiply(product, panels);
        } else {
          kernels::multiply(product, call.packed_transposed[group]);
        }
      }
    }
  }

  std::vector<OpCase> cases() const override {
    const Json relu_options = {{"activation", "relu"}};
    return {{.inputs = {{Shape{3, 5}, Domain::Row},
                        {Shape{3, 5, 4}, Domain::Static},
                        {Shape{3, 4}, Domain::Static}}},
            {.options = relu_options,
             .inputs = {{Shape{2, 2, 6}, Domain::Row}, {Shape{2, 6, 1}, Domain::Static}}}};
  }

 private:
  struct Sizes {
    int64_t groups, in, out, blocks;
    template <class T>
    explicit Sizes(const Call<T>& call)
        : groups(call.shapes[1].shape[0]),
          in(call.shapes[1].shape[1]),
          out(call.shapes[1].shape[2]),
          blocks(call.shapes[0].shape.outer()) {}
  };

  bool is_relu() const { return options_.activation == "relu"; }
};

const RegisterOp<GroupedLinearOp> grouped_linear_registered;

}  // namespace

Var grouped_linear(Var x, Var weight, Var bias, Activation activation) {
  const GroupedLinearOptions options{activation == Activation::Relu ? "relu" : "none"};
  std::vector<Var> inputs{x, weight};
  if (bias.is_valid()) inputs.push_back(bias);
  return x.graph().apply(std::make_shared<GroupedLinearOp>(options), inputs);
}

}  // namespace gatewise

#include "graph/ops.h"
#include "kernels/matmul.h"

namespace gatewise {
namespace {

struct LinearOptions {
  std::string activation = "none";
  void declare(OptionSet& set) {
    set.add("activation", &activation, "fused activation").choices({"none", "relu"});
  }
};

class LinearOp final : public OpBase<LinearOp, LinearOptions> {
 public:
  static constexpr const char* op_name = "linear";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require(inputs.size() == 2 || inputs.size() == 3, "takes x, weight and optionally bias, got {} inputs",
            inputs.size());
    const Shape& x = inputs[0].shape;
    const Shape& weight = inputs[1].shape;
    require(weight.rank() == 2 && inputs[1].domain == Domain::Static,
            "the weight must be a static matrix, got {}", weight.text());
    require(x.rank() >= 1 && x.last() == weight[0], "x {} does not fit weight {}", x.text(), weight.text());
    if (inputs.size() == 3) {
      require(inputs[2].shape == Shape{weight[1]}, "bias {} does not fit weight {}", inputs[2].shape.text(),
              weight.text());
    }
    Signature output = inputs[0];
    output.shape.sizes.back() = weight[1];
    return output;
  }

  bool reads_matrix(int input) const override { return input == 1; }
  bool backward_reads_input(int input) const override { return input < 2; }
  bool backward_reads_output() const override { return is_relu(); }
  bool masks_gradient() const override { return is_relu(); }

  template <class T>
  void run(const Call<T>& call) const {
    kernels::Product<T> product = shape_of(call);
    product.rows = call.rows;
    product.b = call.inputs[1].data;
    product.b_stride = call.inputs[1].stride;
    product.bias = call.inputs.size() == 3 ? call.inputs[2].data : nullptr;
    product.activation = is_relu() ? Activation::Relu : Activation::None;
    product.a_stride = call.inputs[0].stride;
    product.c_stride = call.output.stride;
    for (int64_t token = 0; token < call.shapes[0].shape.outer(); ++token) {
      product.a = call.inputs[0].data + token * product.depth;
      product.c = call.output.data + token * product.columns;
      call.packed.empty() ? kernels::multiply(product) : kernels::multiply(product, call.packed[0]);
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const kernels::Product<T> forward = shape_of(call);
    const int64_t tokens = call.shapes[0].shape.outer();
    if (is_relu() && !call.is_d_output_masked) {
      kernels::unary_backward(kernels::Unary::Relu, T(0), call.rows, tokens * forward.columns, ConstRows<T>(),
                              ConstRows<T>(call.output), ConstRows<T>(call.d_output), call.d_output, false);
    }
    for (int64_t token = 0; token < tokens; ++token) {
      const T* x = call.inputs[0].data + token * forward.depth;
      const T* dy = call.d_output.data + token * forward.columns;
      if (call.d_inputs[1].data != nullptr) {
        kernels::multiply_transposed(kernels::TransposedProduct<T>{
            call.rows, forward.depth, forward.columns, x, call.inputs[0].stride, dy, call.d_output.stride,
            call.d_inputs[1].data, call.d_inputs[1].stride, true});
      }
      if (call.inputs.size() == 3 && call.d_inputs[2].data != nullptr) {
        kernels::column_sums(call.rows, forward.columns, ConstRows<T>(dy, call.d_output.stride),
                             call.d_inputs[2].data, true);
      }
      if (call.d_inputs[0].data != nullptr) {
        kernels::Product<T> product;
        product.rows = call.rows;
        product.columns = forward.depth;
        product.depth = forward.columns;
        product.a = dy;
        product.a_stride = call.d_output.stride;
        product.c = call.d_inputs[0].data + token * forward.depth;
        product.c_stride = call.d_inputs[0].stride;
        product.accumulate = call.accumulate[0];
        if (call.packed_transposed.empty()) {
          kernels::Packed<T> panels;
          panels.pack_transposed(product.depth, product.columns, call.inputs[1].data, call.inputs[1].stride);
          kernels::multiply(product, panels);
        } else {
          kernels::multiply(product, call.packed_transposed[0]);
        }
      }
    }
  }

  std::vector<OpCase> cases() const override {
    const Json relu_options = {{"activation", "relu"}};
    return {
        {.inputs = {{Shape{5}, Domain::Row}, {Shape{5, 7}, Domain::Static}, {Shape{7}, Domain::Static}}},
        {.inputs = {{Shape{3, 4}, Domain::Row}, {Shape{4, 9}, Domain::Static}}},
        {.options = relu_options,
         .inputs = {{Shape{6}, Domain::Row}, {Shape{6, 17}, Domain::Static}, {Shape{17}, Domain::Static}}}};
  }

 private:
  bool is_relu() const { return options_.activation == "relu"; }

  template <class T>
  static kernels::Product<T> shape_of(const Call<T>& call) {
    kernels::Product<T> product;
    product.depth = call.shapes[1].shape[0];
    product.columns = call.shapes[1].shape[1];
    return product;
  }
};

const RegisterOp<LinearOp> linear_registered;

}  // namespace

Var linear(Var x, Var weight, Var bias, Activation activation) {
  const LinearOptions options{activation == Activation::Relu ? "relu" : "none"};
  std::vector<Var> inputs{x, weight};
  if (bias.is_valid()) inputs.push_back(bias);
  return x.graph().apply(std::make_shared<LinearOp>(options), inputs);
}

}  // namespace gatewise

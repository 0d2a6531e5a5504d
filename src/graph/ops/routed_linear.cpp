#include "graph/ops.h"
#include "kernels/matmul.h"

namespace gatewise {
namespace {

struct RoutedLinearOptions {
  std::string activation = "none";
  void declare(OptionSet& set) {
    set.add("activation", &activation, "fused activation").choices({"none", "relu"});
  }
};

// A tile belongs to one branch and uses that branch's block of the weight and of the bias.
class RoutedLinearOp final : public OpBase<RoutedLinearOp, RoutedLinearOptions> {
 public:
  static constexpr const char* op_name = "routed_linear";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require(inputs.size() == 2 || inputs.size() == 3, "takes x, weight and optionally bias, got {} inputs",
            inputs.size());
    const Shape& x = inputs[0].shape;
    const Shape& weight = inputs[1].shape;
    require(inputs[0].domain == Domain::Routed, "x must be a value of routed rows; gather it first");
    require(weight.rank() == 3 && inputs[1].domain == Domain::Static,
            "the weight must be [branches, in, out], got {}", weight.text());
    require(x.rank() >= 1 && x.last() == weight[1], "x {} does not fit weight {}", x.text(), weight.text());
    if (inputs.size() == 3) {
      const Shape expected{weight[0], weight[2]};
      require(inputs[2].shape == expected && inputs[2].domain == Domain::Static,
              "bias {} does not fit weight {}", inputs[2].shape.text(), weight.text());
    }
    Signature output = inputs[0];
    output.shape.sizes.back() = weight[2];
    return output;
  }

  bool reads_matrix(int input) const override { return input == 1; }
  bool backward_reads_input(int input) const override { return input < 2; }
  bool backward_reads_output() const override { return is_relu(); }

  template <class T>
  void run(const Call<T>& call) const {
    const Sizes size(call);
    // The shape rule sees no branch count: values know their route, not its width.
    if (call.route->branches != size.branches) {
      command_error("routed_linear: the weight has {} branches, expected {} as the route has", size.branches,
                    call.route->branches);
    }
    kernels::Product<T> product;
    product.rows = call.rows;
    product.depth = size.in;
    product.columns = size.out;
    product.a_stride = call.inputs[0].stride;
    product.b = call.inputs[1].data + call.branch * size.in * call.inputs[1].stride;
    product.b_stride = call.inputs[1].stride;
    product.bias = call.inputs.size() == 3 ? call.inputs[2].data + call.branch * size.out : nullptr;
    product.c_stride = call.output.stride;
    product.activation = is_relu() ? Activation::Relu : Activation::None;
    for (int64_t token = 0; token < size.tokens; ++token) {
      product.a = call.inputs[0].data + token * size.in;
      product.c = call.output.data + token * size.out;
      call.packed.empty() ? kernels::multiply(product) : kernels::multiply(product, call.packed[call.branch]);
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const Sizes size(call);
    if (is_relu()) {
      kernels::unary_backward(kernels::Unary::Relu, T(0), call.rows, size.tokens * size.out, ConstRows<T>(),
                              ConstRows<T>(call.output), ConstRows<T>(call.d_output), call.d_output, false);
    }
    for (int64_t token = 0; token < size.tokens; ++token) {
      const T* x = call.inputs[0].data + token * size.in;
      const T* dy = call.d_output.data + token * size.out;
      if (const Rows<T>& target = call.d_inputs[1]; target.data != nullptr) {
        kernels::multiply_transposed(kernels::TransposedProduct<T>{
            call.rows, size.in, size.out, x, call.inputs[0].stride, dy, call.d_output.stride,
            target.data + call.branch * size.in * target.stride, target.stride, true});
      }
      if (call.inputs.size() == 3 && call.d_inputs[2].data != nullptr) {
        kernels::column_sums(call.rows, size.out, ConstRows<T>(dy, call.d_output.stride),
                             call.d_inputs[2].data + call.branch * size.out, true);
      }
      if (call.d_inputs[0].data != nullptr) d_x(call, size, token);
    }
  }

 private:
  struct Sizes {
    int64_t branches, in, out, tokens;
    template <class T>
    explicit Sizes(const Call<T>& call)
        : branches(call.shapes[1].shape[0]),
          in(call.shapes[1].shape[1]),
          out(call.shapes[1].shape[2]),
          tokens(call.shapes[0].shape.outer()) {}
  };

  bool is_relu() const { return options_.activation == "relu"; }

  template <class T>
  static void d_x(const Call<T>& call, const Sizes& size, int64_t token) {
    kernels::Product<T> product;
    product.rows = call.rows;
    product.depth = size.out;
    product.columns = size.in;
    product.a = call.d_output.data + token * size.out;
    product.a_stride = call.d_output.stride;
    product.c = call.d_inputs[0].data + token * size.in;
    product.c_stride = call.d_inputs[0].stride;
    product.accumulate = call.accumulate[0];
    if (!call.packed_transposed.empty()) {
      kernels::multiply(product, call.packed_transposed[call.branch]);
      return;
    }
    kernels::Packed<T> panels;
    panels.pack_transposed(size.out, size.in,
                           call.inputs[1].data + call.branch * size.in * call.inputs[1].stride,
                           call.inputs[1].stride);
    kernels::multiply(product, panels);
  }
};

const RegisterOp<RoutedLinearOp> routed_linear_registered;

}  // namespace

Var routed_linear(Var x, Var weight, Var bias, Activation activation) {
  const RoutedLinearOptions options{activation == Activation::Relu ? "relu" : "none"};
  std::vector<Var> inputs{x, weight};
  if (bias.is_valid()) inputs.push_back(bias);
  return x.graph().apply(std::make_shared<RoutedLinearOp>(options), inputs);
}

}  // namespace gatewise

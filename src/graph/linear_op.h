// What the linear operations share: blocks of a row times blocks of a weight plus a bias, with a fused
// activation.
#pragma once

#include "graph/ops.h"

namespace gatewise {

struct LinearOptions {
  std::string activation = "none";
  void declare(OptionSet& set) {
    set.add("activation", &activation, "fused activation").choices({"none", "relu"});
  }
};

// Derived has op_name, weight_form ("[in, out]"), weight_rank, check_x(x, weight) for what its rows must be
// beyond ending in [in], and weight_block(call, block), the block of the weight that a block of the row is
// multiplied by. Inputs: x [.., in], a weight of one block [in, out] or several [blocks, in, out], and
// optionally a bias of the shape of the weight without `in`. Where Derived takes_side_by_side, the blocks of
// the weight may lie side by side instead: [in, column_blocks * out]. Where Derived takes_row_bias, the one
// bias of all blocks may be a value of the row.
template <class Derived, class OptionsType = LinearOptions>
class LinearOpBase : public OpBase<Derived, OptionsType> {
 public:
  using OpBase<Derived, OptionsType>::OpBase;
  static constexpr bool takes_side_by_side = false, takes_row_bias = false;

  Signature infer(std::span<const Signature> inputs) const override {
    this->require(inputs.size() == 2 || inputs.size() == 3,
                  "takes x, weight and optionally bias, got {} inputs", inputs.size());
    const Shape& x = inputs[0].shape;
    const Shape& weight = inputs[1].shape;
    const int64_t side_by_side = this->column_blocks();
    const bool has_rank =
        weight.rank() == Derived::weight_rank || (Derived::takes_side_by_side && weight.rank() == 2);
    this->require(has_rank && inputs[1].domain == Domain::Static && weight.last() % side_by_side == 0,
                  "the weight must be static {}, got {}", Derived::weight_form, weight.text());
    this->derived().check_x(inputs[0], weight);
    this->require(x.rank() >= 1 && x.last() == weight[-2], "x {} does not fit weight {}", x.text(),
                  weight.text());
    if (inputs.size() == 3) {
      Shape expected = weight;
      expected.sizes.erase(expected.sizes.end() - 2);
      const bool is_row =
          Derived::takes_row_bias && inputs[0].domain == Domain::Row && inputs[2].domain == Domain::Row;
      this->require(inputs[2].shape == expected && (is_row || inputs[2].domain == Domain::Static),
                    "bias {} does not fit weight {}", inputs[2].shape.text(), weight.text());
    }
    Signature output = inputs[0];
    output.shape.sizes.back() = weight.last() / side_by_side;
    return output;
  }

  bool reads_matrix(int input) const override { return input == 1; }
  bool backward_reads_input(int input) const override { return input < 2; }
  bool backward_reads_output() const override { return is_relu(); }
  bool masks_gradient() const override { return is_relu(); }

  // The written product with the fused activation.
  std::string activated(const LoweringCall& call, const std::string& y) const {
    return is_relu() ? call.to.add("Relu", {y}) : y;
  }

  // The written product of x [.., groups, in], of so many axes, with a weight [groups, in, out]: the groups
  // go first, where one operator multiplies them all.
  static std::string lower_groups(const LoweringCall& call, int64_t axes) {
    Lowering& to = call.to;
    std::string x = call.inputs[0];
    if (axes == 2) x = to.add("Unsqueeze", {x, to.integers({0})});
    axes = std::max<int64_t>(axes, 3);
    std::vector<int64_t> forth{axes - 2}, back;
    for (int64_t axis = 0; axis < axes - 2; ++axis) forth.push_back(axis);
    forth.push_back(axes - 1);
    for (int64_t axis = 1; axis < axes - 1; ++axis) back.push_back(axis);
    back.insert(back.end(), {0, axes - 1});
    x = to.add("Transpose", {x}, {{"perm", forth}});
    std::vector<int64_t> between;
    for (int64_t axis = 1; axis < axes - 2; ++axis) between.push_back(axis);
    const auto spread = [&](const std::string& value, std::vector<int64_t> at) {
      return at.empty() ? value : to.add("Unsqueeze", {value, to.integers(at)});
    };
    std::string y = to.add("MatMul", {x, spread(call.inputs[1], between)});
    between.push_back(axes - 2);
    if (call.inputs.size() == 3) y = to.add("Add", {y, spread(call.inputs[2], between)});
    y = to.add("Transpose", {y}, {{"perm", back}});
    return call.leading[0] + call.shapes[0].shape.rank() == 2 ? to.add("Squeeze", {y, to.integers({0})}) : y;
  }

  template <class T>
  void run(const Call<T>& call) const {
    const Sizes size(call.shapes, this->column_blocks());
    kernels::Product<T> product;
    product.rows = call.rows;
    product.depth = size.in;
    product.columns = size.out;
    product.a_stride = call.inputs[0].stride;
    product.b_stride = call.inputs[1].stride;
    product.c_stride = call.output.stride;
    product.activation = is_relu() ? Activation::Relu : Activation::None;
    for (int64_t block = 0; block < size.blocks; ++block) {
      const int64_t part = this->derived().weight_block(call, block);
      product.a = call.inputs[0].data + block * size.in;
      product.b = weight_rows(call.inputs[1], size, part);
      product.bias = call.inputs.size() == 3 ? call.inputs[2].data + part * size.out : nullptr;
      product.c = call.output.data + block * size.out;
      if (differs_by_row(call)) start_from_bias(call, product);
      call.packed.empty() ? kernels::multiply(product) : kernels::multiply(product, call.packed[part]);
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const Sizes size(call.shapes, this->column_blocks());
    if (is_relu() && !call.is_d_output_masked) {
      kernels::unary_backward(kernels::Unary::Relu, T(0), call.rows, size.blocks * size.out, ConstRows<T>(),
                              ConstRows<T>(call.output), ConstRows<T>(call.d_output), call.d_output, false);
    }
    for (int64_t block = 0; block < size.blocks; ++block) {
      const int64_t part = this->derived().weight_block(call, block);
      const ConstRows<T> dy(call.d_output.data + block * size.out, call.d_output.stride);
      if (const Rows<T>& d_weight = call.d_inputs[1]; d_weight.data != nullptr) {
        kernels::multiply_transposed(kernels::TransposedProduct<T>{
            call.rows, size.in, size.out, call.inputs[0].data + block * size.in, call.inputs[0].stride,
            dy.data, dy.stride, weight_rows(d_weight, size, part), d_weight.stride, call.accumulate[1]});
      }
      if (call.inputs.size() == 3 && call.d_inputs[2].data != nullptr) {
        if (has_row_bias(call)) {
          kernels::scaled_add(call.rows, size.out, T(1), dy, call.d_inputs[2],
                              call.accumulate[2] || block > 0);
        } else {
          kernels::column_sums(call.rows, size.out, dy, call.d_inputs[2].data + part * size.out,
                               call.accumulate[2]);
        }
      }
      if (call.d_inputs[0].data != nullptr) d_x(call, size, dy, block, part);
    }
  }

 protected:
  // For Derived whose blocks name their matrices by their own index.
  BlockProduct as_block_product(std::span<const Signature> inputs) const {
    return {inputs[0].shape.outer(), is_relu()};
  }

 private:
  struct Sizes {
    int64_t in, out, blocks;
    bool is_side_by_side;
    Sizes(std::span<const Signature> shapes, int64_t side_by_side)
        : in(shapes[1].shape[-2]),
          out(shapes[1].shape.last() / side_by_side),
          blocks(shapes[0].shape.outer()),
          is_side_by_side(shapes[1].shape.rank() == 2) {}
  };

  bool is_relu() const { return this->options_.activation == "relu"; }

  template <class T>
  static bool has_row_bias(const Call<T>& call) {
    return call.inputs.size() == 3 && call.shapes[2].domain == Domain::Row;
  }
  // A bias that all rows of the tile share (stride 0) is as good as a static one.
  template <class T>
  static bool differs_by_row(const Call<T>& call) {
    return has_row_bias(call) && call.inputs[2].stride != 0;
  }
  // The same sums, from the bias on, with the bias of each row in the place of its result.
  template <class T>
  static void start_from_bias(const Call<T>& call, kernels::Product<T>& product) {
    for (int64_t row = 0; row < call.rows; ++row)
      std::copy_n(product.bias + row * call.inputs[2].stride, product.columns,
                  product.c + row * product.c_stride);
    product.bias = nullptr;
    product.accumulate = true;
  }

  // The first row of a block of the weight or of its gradient.
  template <class RowsType>
  static auto weight_rows(const RowsType& weight, const Sizes& size, int64_t part) {
    return weight.data + (size.is_side_by_side ? part * size.out : part * size.in * weight.stride);
  }

  template <class T>
  static void d_x(const Call<T>& call, const Sizes& size, ConstRows<T> dy, int64_t block, int64_t part) {
    kernels::Product<T> product;
    product.rows = call.rows;
    product.depth = size.out;
    product.columns = size.in;
    product.a = dy.data;
    product.a_stride = dy.stride;
    product.c = call.d_inputs[0].data + block * size.in;
    product.c_stride = call.d_inputs[0].stride;
    product.accumulate = call.accumulate[0];
    if (!call.packed_transposed.empty()) {
      kernels::multiply(product, call.packed_transposed[part]);
      return;
    }
    thread_local kernels::Packed<T> panels;
    panels.pack_transposed(size.out, size.in, weight_rows(call.inputs[1], size, part), call.inputs[1].stride);
    kernels::multiply(product, panels);
  }
};

template <class LinearType>
Var apply_linear(Var x, Var weight, Var bias, Activation activation,
                 typename LinearType::Options options = {}) {
  options.activation = activation == Activation::Relu ? "relu" : "none";
  std::vector<Var> inputs{x, weight};
  if (bias.is_valid()) inputs.push_back(bias);
  return x.graph().apply(std::make_shared<LinearType>(options), inputs);
}

}  // namespace gatewise

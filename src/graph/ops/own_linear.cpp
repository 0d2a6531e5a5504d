#include "base/error.h"
#include "graph/linear_op.h"
#include "graph/slice_runs.h"

namespace gatewise {
namespace {

// Every row times the block of the weight that its id names. Neighbours that name the same block are one
// product, so batches are fastest in the order of their ids; no result depends on it.
class OwnLinearOp final : public OpBase<OwnLinearOp, LinearOptions> {
 public:
  static constexpr const char* op_name = "own_linear";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require(inputs.size() == 3 || inputs.size() == 4,
            "takes x, weight, ids and optionally bias, got {} inputs", inputs.size());
    const Shape& x = inputs[0].shape;
    const Shape& weight = inputs[1].shape;
    require(weight.rank() == 3 && inputs[1].domain == Domain::Static,
            "the weight must be static [blocks, in, out], got {}", weight.text());
    require(inputs[0].domain == Domain::Row && x.rank() == 1 && x[0] == weight[1],
            "x {} does not fit weight {}", x.text(), weight.text());
    require(inputs[2].domain == Domain::Row && inputs[2].shape.rank() == 0, "the third input must be ids");
    if (inputs.size() == 4) {
      require(inputs[3].domain == Domain::Static && inputs[3].shape == Shape{weight[0], weight[2]},
              "bias {} does not fit weight {}", inputs[3].shape.text(), weight.text());
    }
    return {Shape{weight[2]}, Domain::Row, -1};
  }

  bool reads_matrix(int input) const override { return input == 1; }
  bool has_gradient(int input) const override { return input != 2; }
  bool backward_reads_input(int input) const override { return input < 2; }
  bool backward_reads_output() const override { return is_relu(); }
  bool masks_gradient() const override { return is_relu(); }
  int ids_of_slices() const override { return 2; }
  bool defers(int input) const override { return input == 1 || input == 3; }

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    const std::string x = to.add("Unsqueeze", {call.inputs[0], to.integers({1})});
    const std::string weight = to.add("Gather", {call.inputs[1], call.inputs[2]}, {{"axis", 0}});
    std::string y = to.add("Squeeze", {to.add("MatMul", {x, weight}), to.integers({1})});
    if (call.inputs.size() == 4)
      y = to.add("Add", {y, to.add("Gather", {call.inputs[3], call.inputs[2]}, {{"axis", 0}})});
    return is_relu() ? to.add("Relu", {y}) : y;
  }

  template <class T>
  void run(const Call<T>& call) const {
    kernels::Product<T> product = product_of(call, call.inputs[0], call.output);
    product.b_stride = call.inputs[1].stride;
    product.activation = is_relu() ? Activation::Relu : Activation::None;
    each_slice_run(call, blocks(call), [&](int64_t begin, int64_t end, int64_t block) {
      set_rows(product, call.inputs[0], call.output, begin, end);
      product.b = block_of(call.inputs[1], call, block);
      product.bias = call.inputs.size() == 4 ? call.inputs[3].data + block * product.columns : nullptr;
      call.packed.empty() ? kernels::multiply(product) : kernels::multiply(product, call.packed[block]);
    });
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    if (is_relu() && !call.is_d_output_masked) {
      kernels::unary_backward(kernels::Unary::Relu, T(0), call.rows, call.shape->shape.elements(),
                              ConstRows<T>(), ConstRows<T>(call.output), ConstRows<T>(call.d_output),
                              call.d_output, false);
    }
    each_slice_run(call, blocks(call), [&](int64_t begin, int64_t end, int64_t block) {
      add_block(call, begin, end, block, call.inputs[0], ConstRows<T>(call.d_output));
    });
    if (call.d_inputs[0].data != nullptr) d_x(call);
  }

  // The rows of one block, wherever they lie in the batch, side by side first.
  template <class T>
  void block_gradient(const Call<T>& call, int64_t block, std::span<const int64_t> rows) const {
    const auto count = static_cast<int64_t>(rows.size());
    if (rows.back() - rows.front() + 1 == count) {
      add_block(call, rows.front(), rows.front() + count, block, call.inputs[0], ConstRows<T>(call.d_output));
      return;
    }
    const int64_t in = call.shapes[0].shape[0], out = call.shape->shape[0];
    std::vector<T> x(static_cast<size_t>(count * in)), dy(static_cast<size_t>(count * out));
    for (int64_t i = 0; i < count; ++i) {
      std::copy_n(call.inputs[0].data + rows[i] * call.inputs[0].stride, in, x.data() + i * in);
      std::copy_n(call.d_output.data + rows[i] * call.d_output.stride, out, dy.data() + i * out);
    }
    add_block<T>(call, 0, count, block, {x.data(), in}, {dy.data(), out});
  }

  void slice_backward(const Call<float>& call, int64_t slice, std::span<const int64_t> rows) const override {
    block_gradient(call, slice, rows);
  }
  void slice_backward(const Call<double>& call, int64_t slice, std::span<const int64_t> rows) const override {
    block_gradient(call, slice, rows);
  }

 private:
  bool is_relu() const { return options_.activation == "relu"; }

  template <class T>
  static int64_t blocks(const Call<T>& call) {
    return call.shapes[1].shape[0];
  }

  // The first row of a block of the weight or of its gradient.
  template <class RowsType, class T>
  static auto block_of(const RowsType& weight, const Call<T>& call, int64_t block) {
    return weight.data + block * call.shapes[1].shape[1] * weight.stride;
  }

  template <class T>
  static kernels::Product<T> product_of(const Call<T>& call, const ConstRows<T>& from, const Rows<T>& into) {
    kernels::Product<T> product;
    product.depth = call.shapes[1].shape[1];
    product.columns = call.shapes[1].shape[2];
    product.a_stride = from.stride;
    product.c_stride = into.stride;
    return product;
  }

  template <class T>
  static void set_rows(kernels::Product<T>& product, const ConstRows<T>& from, const Rows<T>& into,
                       int64_t begin, int64_t end) {
    product.rows = end - begin;
    product.a = from.data + begin * from.stride;
    product.c = into.data + begin * into.stride;
  }

  // Gradients of a block of weight and bias from rows [begin, end) of x and dy.
  template <class T>
  static void add_block(const Call<T>& call, int64_t begin, int64_t end, int64_t block, ConstRows<T> x,
                        ConstRows<T> dy) {
    const int64_t in = call.shapes[1].shape[1], out = call.shapes[1].shape[2];
    dy.data += begin * dy.stride;
    if (const Rows<T>& d_weight = call.d_inputs[1]; d_weight.data != nullptr) {
      kernels::multiply_transposed(
          kernels::TransposedProduct<T>{end - begin, in, out, x.data + begin * x.stride, x.stride, dy.data,
                                        dy.stride, block_of(d_weight, call, block), d_weight.stride, true});
    }
    if (call.inputs.size() == 4 && call.d_inputs[3].data != nullptr)
      kernels::column_sums(end - begin, out, dy, call.d_inputs[3].data + block * out, true);
  }

  template <class T>
  static void d_x(const Call<T>& call) {
    const ConstRows<T> dy(call.d_output);
    kernels::Product<T> product = product_of(call, dy, call.d_inputs[0]);
    std::swap(product.depth, product.columns);
    product.accumulate = call.accumulate[0];
    kernels::Packed<T> panels;
    each_slice_run(call, blocks(call), [&](int64_t begin, int64_t end, int64_t block) {
      set_rows(product, dy, call.d_inputs[0], begin, end);
      if (!call.packed_transposed.empty()) {
        kernels::multiply(product, call.packed_transposed[block]);
        return;
      }
      panels.pack_transposed(product.depth, product.columns, block_of(call.inputs[1], call, block),
                             call.inputs[1].stride);
      kernels::multiply(product, panels);
    });
  }
};

const RegisterOp<OwnLinearOp> own_linear_registered;

}  // namespace

Var own_linear(Var x, Var weight, Var bias, Var ids, Activation activation) {
  LinearOptions options;
  options.activation = activation == Activation::Relu ? "relu" : "none";
  std::vector<Var> inputs{x, weight, ids};
  if (bias.is_valid()) inputs.push_back(bias);
  return x.graph().apply(std::make_shared<OwnLinearOp>(options), inputs);
}

}  // namespace gatewise

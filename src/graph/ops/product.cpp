#include "graph/ops.h"
#include "kernels/matmul.h"

namespace gatewise {
namespace {

class ProductOp final : public OpBase<ProductOp> {
 public:
  static constexpr const char* op_name = "product";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 2);
    const Shape& a = inputs[0].shape;
    const Shape& b = inputs[1].shape;
    require(a.rank() == 2 && b.rank() == 2 && a[1] == b[0], "takes [m, k] and [k, n], got {} and {}",
            a.text(), b.text());
    Signature output = joined(name(), inputs);
    output.shape = Shape{a[0], b[1]};
    return output;
  }

  std::string lower(const LoweringCall& call) const override {
    return call.to.add("MatMul", {call.inputs[0], call.inputs[1]});
  }

  template <class T>
  void run(const Call<T>& call) const {
    const Sizes size(call);
    for (int64_t row = 0; row < call.rows; ++row) {
      kernels::Product<T> product;
      product.rows = size.left;
      product.depth = size.depth;
      product.columns = size.right;
      product.a = call.inputs[0].data + row * call.inputs[0].stride;
      product.a_stride = size.depth;
      product.b = call.inputs[1].data + row * call.inputs[1].stride;
      product.b_stride = size.right;
      product.c = call.output.data + row * call.output.stride;
      product.c_stride = size.right;
      kernels::multiply(product);
    }
  }

  // da = dy b', db = a' dy.
  template <class T>
  void gradient(const Call<T>& call) const {
    const Sizes size(call);
    std::vector<T> transposed(call.d_inputs[0].data == nullptr ? 0 : size.depth * size.right);
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* b = call.inputs[1].data + row * call.inputs[1].stride;
      const T* dy = call.d_output.data + row * call.d_output.stride;
      if (call.d_inputs[0].data != nullptr) {
        for (int64_t k = 0; k < size.depth; ++k) {
          for (int64_t n = 0; n < size.right; ++n) transposed[n * size.depth + k] = b[k * size.right + n];
        }
        kernels::Product<T> product;
        product.rows = size.left;
        product.depth = size.right;
        product.columns = size.depth;
        product.a = dy;
        product.a_stride = size.right;
        product.b = transposed.data();
        product.b_stride = size.depth;
        product.c = call.d_inputs[0].data + row * call.d_inputs[0].stride;
        product.c_stride = size.depth;
        product.accumulate = call.accumulate[0];
        kernels::multiply(product);
      }
      if (call.d_inputs[1].data != nullptr) {
        kernels::multiply_transposed(kernels::TransposedProduct<T>{
            size.left, size.depth, size.right, call.inputs[0].data + row * call.inputs[0].stride, size.depth,
            dy, size.right, call.d_inputs[1].data + row * call.d_inputs[1].stride, size.right,
            call.accumulate[1]});
      }
    }
  }

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{3, 4}, Domain::Row}, {Shape{4, 2}, Domain::Row}}},
            {.inputs = {{Shape{2, 5}, Domain::Row}, {Shape{5, 17}, Domain::Static}}},
            {.inputs = {{Shape{3, 1}, Domain::Static}, {Shape{1, 6}, Domain::Static}}}};
  }

 private:
  struct Sizes {
    int64_t left, depth, right;
    template <class T>
    explicit Sizes(const Call<T>& call)
        : left(call.shapes[0].shape[0]), depth(call.shapes[0].shape[1]), right(call.shapes[1].shape[1]) {}
  };
};

const RegisterOp<ProductOp> product_registered;

}  // namespace

Var product(Var a, Var b) { return a.graph().apply(std::make_shared<ProductOp>(), {a, b}); }

}  // namespace gatewise

#include "graph/ops.h"

namespace gatewise {
namespace {

// Every routed row gets its branch's slice of a static value.
class BranchRowsOp final : public OpBase<BranchRowsOp> {
 public:
  static constexpr const char* op_name = "branch_rows";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 2);
    require(inputs[1].domain == Domain::Static && inputs[1].route >= 0, "the second input must be a route");
    const int64_t branches = inputs[1].shape.elements();
    require(
        inputs[0].domain == Domain::Static && inputs[0].shape.rank() >= 1 && inputs[0].shape[0] == branches,
        "takes a static value with one slice for each of {} branches, got {}", branches,
        inputs[0].shape.text());
    Signature output{inputs[0].shape, Domain::Routed, inputs[1].route};
    output.shape.sizes.erase(output.shape.sizes.begin());
    return output;
  }

  bool has_gradient(int input) const override { return input == 0; }
  bool backward_reads_input(int) const override { return false; }
  bool owns_branch(int input) const override { return input == 0; }

  std::string lower(const LoweringCall& call) const override { return call.of_branch(0); }

  template <class T>
  void run(const Call<T>& call) const {
    const int64_t width = call.shape->shape.elements();
    const T* slice = call.inputs[0].data + call.branch * width;
    for (int64_t row = 0; row < call.rows; ++row) {
      std::copy(slice, slice + width, call.output.data + row * call.output.stride);
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const int64_t width = call.shape->shape.elements();
    T* into = call.d_inputs[0].data + call.branch * width;
    if (!call.accumulate[0]) std::fill(into, into + width, T(0));
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* dy = call.d_output.data + row * call.d_output.stride;
      for (int64_t i = 0; i < width; ++i) into[i] += dy[i];
    }
  }
};

const RegisterOp<BranchRowsOp> branch_rows_registered;

}  // namespace

Var branch_rows(Var slices, Var route) {
  return slices.graph().apply(std::make_shared<BranchRowsOp>(), {slices, route});
}

}  // namespace gatewise

#include "base/error.h"
#include "graph/ops.h"
#include "graph/slice_runs.h"

namespace gatewise {
namespace {

// Every row gets the slice that its id names.
class OwnRowsOp final : public OpBase<OwnRowsOp> {
 public:
  static constexpr const char* op_name = "own_rows";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 2);
    require(inputs[0].domain != Domain::Routed && inputs[0].shape.rank() >= 1,
            "takes slices along the first axis, got {}", inputs[0].shape.text());
    require(inputs[1].domain == Domain::Row && inputs[1].shape.rank() == 0, "the second input must be ids");
    Signature output{inputs[0].shape, Domain::Row, -1};
    output.shape.sizes.erase(output.shape.sizes.begin());
    return output;
  }

  bool has_gradient(int input) const override { return input == 0; }
  bool backward_reads_input(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    if (call.leading[0] == 0) return to.add("Gather", {call.inputs[0], call.inputs[1]}, {{"axis", 0}});
    const std::string ids = to.add("Unsqueeze", {call.inputs[1], to.integers({1})});
    return to.add("GatherND", {call.inputs[0], ids}, {{"batch_dims", 1}});
  }

  template <class T>
  void run(const Call<T>& call) const {
    const int64_t width = call.shape->shape.elements();
    each_slice_run(call, call.shapes[0].shape[0], [&](int64_t begin, int64_t end, int64_t slice) {
      for (int64_t row = begin; row < end; ++row) {
        const T* x = call.inputs[0].data + row * call.inputs[0].stride + slice * width;
        std::copy(x, x + width, call.output.data + row * call.output.stride);
      }
    });
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const int64_t width = call.shape->shape.elements();
    const Rows<T>& target = call.d_inputs[0];
    const bool clears = call.shapes[0].domain == Domain::Row && !call.accumulate[0];
    each_slice_run(call, call.shapes[0].shape[0], [&](int64_t begin, int64_t end, int64_t slice) {
      for (int64_t row = begin; row < end; ++row) {
        T* dx = target.data + row * target.stride;
        if (clears) std::fill(dx, dx + call.shapes[0].shape.elements(), T(0));
        const T* dy = call.d_output.data + row * call.d_output.stride;
        for (int64_t i = 0; i < width; ++i) dx[slice * width + i] += dy[i];
      }
    });
  }
};

const RegisterOp<OwnRowsOp> own_rows_registered;

}  // namespace

Var own_rows(Var slices, Var ids) {
  return slices.graph().apply(std::make_shared<OwnRowsOp>(), {slices, ids});
}

}  // namespace gatewise

#include "graph/ops.h"

namespace gatewise {
namespace {

struct GatherOptions {
  bool own = false;
  void declare(OptionSet& set) { set.add("own", &own, "takes only the slice of the routed row's branch"); }
};

class GatherOp final : public OpBase<GatherOp, GatherOptions> {
 public:
  static constexpr const char* op_name = "gather";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 2);
    require(inputs[0].domain == Domain::Row, "takes a value that exists once per row, got {}",
            inputs[0].shape.text());
    require(inputs[1].domain == Domain::Static && inputs[1].route >= 0, "the second input must be a route");
    Signature output{inputs[0].shape, Domain::Routed, inputs[1].route};
    if (!options_.own) return output;
    require(output.shape.rank() >= 1 && output.shape[0] == inputs[1].shape.elements(),
            "takes one slice for each of {} branches, got {}", inputs[1].shape.elements(),
            output.shape.text());
    output.shape.sizes.erase(output.shape.sizes.begin());
    return output;
  }

  bool reads_whole_batch(int input) const override { return input == 0; }
  bool has_gradient(int input) const override { return input == 0; }
  bool backward_reads_input(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    if (call.branch < 0) {
      // Every branch reads the row; its own slices already stand branch by branch.
      return options_.own ? call.inputs[0] : to.add("Unsqueeze", {call.inputs[0], to.integers({1})});
    }
    const std::string rows = to.add("Gather", {call.inputs[0], call.rows}, {{"axis", 0}});
    if (!options_.own) return rows;
    const std::string own =
        to.add("Slice", {rows, to.integers({call.branch}), to.integers({call.branch + 1}), to.integers({1})});
    return to.add("Squeeze", {own, to.integers({1})});
  }

  // The tile has routed rows; inputs[0] is the whole batch.
  template <class T>
  void run(const Call<T>& call) const {
    const int64_t width = call.shape->shape.elements();
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* x = call.inputs[0].data + call.route->rows[call.first_row + row] * call.inputs[0].stride +
                   (options_.own ? call.branch * width : 0);
      std::copy(x, x + width, call.output.data + row * call.output.stride);
    }
  }

  // The tile has batch rows; d_output is the whole route. Every row adds up its routed rows, so no two tiles
  // write the same place.
  template <class T>
  void gradient(const Call<T>& call) const {
    const int64_t width = call.shape->shape.elements();
    const Route& route = *call.route;
    for (int64_t row = 0; row < call.rows; ++row) {
      T* dx = call.d_inputs[0].data + row * call.d_inputs[0].stride;
      if (!call.accumulate[0]) std::fill(dx, dx + call.shapes[0].shape.elements(), T(0));
      const int64_t batch_row = call.first_row + row;
      for (int64_t pair = route.row_first[batch_row]; pair < route.row_first[batch_row + 1]; ++pair) {
        const T* dy = call.d_output.data + route.row_positions[pair] * call.d_output.stride;
        T* into = dx + (options_.own ? route.row_branch[pair] * width : 0);
        for (int64_t i = 0; i < width; ++i) into[i] += dy[i];
      }
    }
  }
};

const RegisterOp<GatherOp> gather_registered;

}  // namespace

Var gather(Var x, Var route) { return x.graph().apply(std::make_shared<GatherOp>(), {x, route}); }

Var gather_own(Var x, Var route) {
  return x.graph().apply(std::make_shared<GatherOp>(GatherOptions{true}), {x, route});
}

}  // namespace gatewise

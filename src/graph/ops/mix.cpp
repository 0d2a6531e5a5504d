#include "graph/ops.h"

namespace gatewise {
namespace {

class MixOp final : public OpBase<MixOp> {
 public:
  static constexpr const char* op_name = "mix";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 2);
    const Shape& experts = inputs[0].shape;
    const Shape& weights = inputs[1].shape;
    require(experts.rank() >= 2, "experts must be [.., experts, hidden], got {}", experts.text());
    const bool has_consumers = weights.rank() == experts.rank();
    require(has_consumers || weights.rank() == experts.rank() - 1, "weights {} do not fit experts {}",
            weights.text(), experts.text());
    require(weights.last() == experts[-2], "weights {} do not fit experts {}", weights.text(),
            experts.text());
    Signature output = joined(name(), inputs);
    output.shape = experts;
    output.shape.sizes.erase(output.shape.sizes.end() - 2);
    if (has_consumers) output.shape.sizes.insert(output.shape.sizes.end() - 1, weights[-2]);
    for (int64_t axis = 0; axis < experts.rank() - 2; ++axis) {
      require(weights[axis] == experts[axis], "weights {} do not fit experts {}", weights.text(),
              experts.text());
    }
    return output;
  }

  bool can_mask(int input) const override { return input == 0; }

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    if (call.shapes[1].shape.rank() == call.shapes[0].shape.rank())
      return to.add("MatMul", {call.inputs[1], call.inputs[0]});
    // A single consumer: [.., 1, experts].
    const std::string weights = to.add("Unsqueeze", {call.inputs[1], to.integers({-2})});
    return to.add("Squeeze", {to.add("MatMul", {weights, call.inputs[0]}), to.integers({-2})});
  }

  template <class T>
  void run(const Call<T>& call) const {
    const Sizes size(call);
    for (int64_t token = 0; token < size.tokens; ++token) {
      kernels::mix(size.mix, size.at(call.inputs[0], token, size.experts_width),
                   size.at(call.inputs[1], token, size.weights_width),
                   size.at(call.output, token, size.out_width));
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    Sizes size(call);
    size.mix.masks_experts = call.masks_input(0);
    for (int64_t token = 0; token < size.tokens; ++token) {
      kernels::mix_backward(size.mix, size.at(call.inputs[0], token, size.experts_width),
                            size.at(call.inputs[1], token, size.weights_width),
                            ConstRows<T>(size.at(call.d_output, token, size.out_width)),
                            size.at(call.d_inputs[0], token, size.experts_width), call.accumulate[0],
                            size.at(call.d_inputs[1], token, size.weights_width), call.accumulate[1]);
    }
  }

  std::optional<kernels::RowStep> row_step(std::span<const Signature> inputs) const override {
    const Shape& experts = inputs[0].shape;
    const Shape& weights = inputs[1].shape;
    if (experts.rank() > 2) return {};
    return kernels::mix_step(weights.rank() == 2 ? weights[0] : 1, experts[0], experts[1]);
  }

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{8, 16}, Domain::Row}, {Shape{8}, Domain::Row}}},
            {.inputs = {{Shape{3, 5}, Domain::Row}, {Shape{2, 3}, Domain::Row}}},
            {.inputs = {{Shape{2, 3, 4}, Domain::Row}, {Shape{2, 3}, Domain::Row}}}};
  }

 private:
  struct Sizes {
    kernels::MixSizes mix;
    int64_t tokens = 1, experts_width = 0, weights_width = 0, out_width = 0;

    template <class T>
    explicit Sizes(const Call<T>& call) {
      const Shape& experts = call.shapes[0].shape;
      const Shape& weights = call.shapes[1].shape;
      mix.rows = call.rows;
      mix.experts = experts[-2];
      mix.hidden = experts.last();
      mix.consumers = weights.rank() == experts.rank() ? weights[-2] : 1;
      experts_width = mix.experts * mix.hidden;
      weights_width = mix.consumers * mix.experts;
      out_width = mix.consumers * mix.hidden;
      tokens = experts.elements() / experts_width;
    }

    template <class RowsType>
    static RowsType at(RowsType rows, int64_t token, int64_t width) {
      if (rows.data != nullptr) rows.data += token * width;
      return rows;
    }
  };
};

const RegisterOp<MixOp> mix_registered;

}  // namespace

Var mix(Var experts, Var weights) {
  return experts.graph().apply(std::make_shared<MixOp>(), {experts, weights});
}

}  // namespace gatewise

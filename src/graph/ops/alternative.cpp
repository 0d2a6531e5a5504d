#include "graph/ops.h"

namespace gatewise {
namespace {

struct AlternativeOptions {
  std::string training = "routed";
  std::string scoring = "routed";
  void declare(OptionSet& set) {
    set.add("training", &training, "what runs in training").choices({"dense", "routed"});
    set.add("scoring", &scoring, "what runs otherwise").choices({"dense", "routed"});
  }
};

// One value computed in two ways: over all experts, or over the rows routed to each. Only one of them runs.
class AlternativeOp final : public OpBase<AlternativeOp, AlternativeOptions> {
 public:
  static constexpr const char* op_name = "alternative";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 2);
    require(inputs[0] == inputs[1], "the two ways differ: {} and {}", inputs[0].shape.text(),
            inputs[1].shape.text());
    return inputs[0];
  }

  bool uses_input(int input, bool is_training) const override {
    return input == ((is_training ? options_.training : options_.scoring) == "routed" ? 1 : 0);
  }
  bool backward_reads_input(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override {
    return call.inputs[call.inputs[0].empty() ? 1 : 0];
  }

  template <class T>
  void run(const Call<T>& call) const {
    const ConstRows<T>& x = call.inputs[call.inputs[0].data != nullptr ? 0 : 1];
    const int64_t width = call.shape->shape.elements();
    for (int64_t row = 0; row < call.rows; ++row) {
      std::copy_n(x.data + row * x.stride, width, call.output.data + row * call.output.stride);
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const int used = call.d_inputs[0].data != nullptr ? 0 : 1;
    const Rows<T>& target = call.d_inputs[used];
    const int64_t width = call.shape->shape.elements();
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* dy = call.d_output.data + row * call.d_output.stride;
      T* dx = target.data + row * target.stride;
      for (int64_t i = 0; i < width; ++i) dx[i] = call.accumulate[used] ? dx[i] + dy[i] : dy[i];
    }
  }
};

const RegisterOp<AlternativeOp> alternative_registered;

}  // namespace

Var alternative(Var dense, Var routed, bool routes_training, bool routes_scoring) {
  const AlternativeOptions options{routes_training ? "routed" : "dense", routes_scoring ? "routed" : "dense"};
  return dense.graph().apply(std::make_shared<AlternativeOp>(options), {dense, routed});
}

}  // namespace gatewise

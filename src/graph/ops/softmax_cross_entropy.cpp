#include "graph/ops.h"

namespace gatewise {
namespace {

class SoftmaxCrossEntropyOp final : public OpBase<SoftmaxCrossEntropyOp> {
 public:
  static constexpr const char* op_name = "softmax_cross_entropy";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 2);
    require(inputs[0].shape.rank() == 1, "logits must be [classes], got {}", inputs[0].shape.text());
    require(inputs[1].shape.elements() == 1, "the label must be one class index, got {}",
            inputs[1].shape.text());
    Signature output = joined(name(), inputs);
    output.shape = Shape{};
    return output;
  }

  bool has_gradient(int input) const override { return input == 0; }
  bool backward_reads_output() const override { return true; }

  // Labels outside [0, classes) mean a missing one: the caller gives such rows no weight; their loss is 0.
  template <class T>
  void run(const Call<T>& call) const {
    const int64_t classes = call.shapes[0].shape.last();
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* logits = call.inputs[0].data + row * call.inputs[0].stride;
      const int64_t label = label_of(call, row, classes);
      T& loss = call.output.data[row * call.output.stride];
      if (label < 0) {
        loss = 0;
        continue;
      }
      const T largest = *std::max_element(logits, logits + classes);
      T total = 0;
      for (int64_t i = 0; i < classes; ++i) total += std::exp(logits[i] - largest);
      loss = std::log(total) - (logits[label] - largest);
    }
  }

  // d logits = softmax(logits) - one at the label; softmax follows from the loss at the label.
  template <class T>
  void gradient(const Call<T>& call) const {
    const int64_t classes = call.shapes[0].shape.last();
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* logits = call.inputs[0].data + row * call.inputs[0].stride;
      const T dy = call.d_output.data[row * call.d_output.stride];
      T* dx = call.d_inputs[0].data + row * call.d_inputs[0].stride;
      const int64_t label = label_of(call, row, classes);
      if (!call.accumulate[0]) std::fill(dx, dx + classes, T(0));
      if (label < 0) continue;
      const T log_total = call.output.data[row * call.output.stride] + logits[label];
      for (int64_t i = 0; i < classes; ++i) {
        dx[i] += dy * (std::exp(logits[i] - log_total) - (i == label ? T(1) : T(0)));
      }
    }
  }

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{4}, Domain::Row}, {Shape{}, Domain::Row}},
             .low = 0,
             .high = 3.9,
             .no_gradient = {1}}};
  }

 private:
  template <class T>
  static int64_t label_of(const Call<T>& call, int64_t row, int64_t classes) {
    const T label = call.inputs[1].data[row * call.inputs[1].stride];
    return label >= T(0) && label < static_cast<T>(classes) ? static_cast<int64_t>(label) : -1;
  }
};

const RegisterOp<SoftmaxCrossEntropyOp> softmax_cross_entropy_registered;

}  // namespace

Var softmax_cross_entropy(Var logits, Var label) {
  return logits.graph().apply(std::make_shared<SoftmaxCrossEntropyOp>(), {logits, label});
}

}  // namespace gatewise

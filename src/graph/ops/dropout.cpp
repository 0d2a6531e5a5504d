#include "graph/ops.h"

namespace gatewise {
namespace {

struct DropoutOptions {
  double rate = 0.1;
  std::string stream;
  void declare(OptionSet& set) {
    set.add("rate", &rate, "probability of a zero").range(0, 1);
    set.add("stream", &stream, "name of the stream of random numbers");
  }
};

class DropoutOp final : public OpBase<DropoutOp, DropoutOptions> {
 public:
  static constexpr const char* op_name = "dropout";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 1);
    require(options_.rate < 1, "the rate must be below 1, got {}", options_.rate);
    require(inputs[0].domain != Domain::Static, "takes values of rows, got a static value");
    return inputs[0];
  }

  bool backward_reads_input(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override { return call.inputs[0]; }

  template <class T>
  void run(const Call<T>& call) const {
    each_element(call, [&](int64_t row, int64_t i, T factor) {
      call.output.data[row * call.output.stride + i] =
          factor * call.inputs[0].data[row * call.inputs[0].stride + i];
    });
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    each_element(call, [&](int64_t row, int64_t i, T factor) {
      const T value = factor * call.d_output.data[row * call.d_output.stride + i];
      T& into = call.d_inputs[0].data[row * call.d_inputs[0].stride + i];
      into = call.accumulate[0] ? into + value : value;
    });
  }

  std::vector<OpCase> cases() const override {
    return {{.options = {{"rate", 0.3}, {"stream", "one"}}, .inputs = {{Shape{9}, Domain::Row}}},
            {.options = {{"rate", 0.0}, {"stream", "two"}}, .inputs = {{Shape{2, 3}, Domain::Row}}}};
  }

 private:
  // visit(row, element, 0 or 1 / (1 - rate)): drawn anew in the gradient, from (step, row, element).
  template <class T, class Visit>
  void each_element(const Call<T>& call, const Visit& visit) const {
    const int64_t width = call.shape->shape.elements();
    const bool is_active = call.run->is_training && options_.rate > 0;
    const RandomStream stream(call.run->seed, options_.stream);
    // Four elements share one block of random words.
    const auto threshold = static_cast<uint32_t>(options_.rate * 0x1p32);
    const T kept = static_cast<T>(1 / (1 - options_.rate));
    for (int64_t row = 0; row < call.rows; ++row) {
      const auto position = static_cast<uint64_t>(call.first_row + row);
      std::array<uint32_t, 4> words{};
      for (int64_t i = 0; i < width; ++i) {
        if (is_active && i % 4 == 0)
          words = stream.words(call.run->step, position, static_cast<uint32_t>(i / 4));
        visit(row, i, !is_active ? T(1) : words[i % 4] < threshold ? T(0) : kept);
      }
    }
  }
};

const RegisterOp<DropoutOp> dropout_registered;

}  // namespace

Var dropout(Var x, double rate, const std::string& name) {
  return x.graph().apply(std::make_shared<DropoutOp>(DropoutOptions{rate, name}), {x});
}

}  // namespace gatewise

#include "graph/ops.h"

namespace gatewise {
namespace {

struct RunningMomentsOptions {
  double momentum = 0.1;
  void declare(OptionSet& set) { set.add("momentum", &momentum, "share of the newest batch").range(0, 1); }
};

class RunningMomentsOp final : public OpBase<RunningMomentsOp, RunningMomentsOptions> {
 public:
  static constexpr const char* op_name = "running_moments";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 2);
    for (const Signature& input : inputs) {
      require(input.domain == Domain::Static && input.shape.rank() >= 1 && input.shape[0] == 2 &&
                  input.shape == inputs[0].shape,
              "takes running and batch moments, both static [2, ..], got {} and {}", inputs[0].shape.text(),
              inputs[1].shape.text());
    }
    return inputs[0];
  }

  bool has_gradient(int) const override { return false; }

  template <class T>
  void run(const Call<T>& call) const {
    const int64_t width = call.shape->shape.elements() / 2;
    const auto rows = static_cast<double>(call.run->batch_rows);
    const double unbiased = rows > 1 ? rows / (rows - 1) : 1;
    for (int64_t i = 0; i < 2 * width; ++i) {
      const double running = static_cast<double>(call.inputs[0].data[i]);
      const double batch = static_cast<double>(call.inputs[1].data[i]) * (i < width ? 1 : unbiased);
      call.output.data[i] = static_cast<T>((1 - options_.momentum) * running + options_.momentum * batch);
    }
  }
  template <class T>
  void gradient(const Call<T>&) const {}

  std::vector<OpCase> cases() const override {
    return {{.options = {{"momentum", 0.25}},
             .inputs = {{Shape{2, 5}, Domain::Static}, {Shape{2, 5}, Domain::Static}},
             .low = 0.1,
             .high = 2,
             .no_gradient = {0, 1}}};
  }
};

const RegisterOp<RunningMomentsOp> running_moments_registered;

}  // namespace

Var running_moments(Var running, Var moments, double momentum) {
  return running.graph().apply(std::make_shared<RunningMomentsOp>(RunningMomentsOptions{momentum}),
                               {running, moments});
}

}  // namespace gatewise

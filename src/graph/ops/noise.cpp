#include "graph/ops.h"

namespace gatewise {
namespace {

struct NoiseOptions {
  std::string distribution = "normal";
  std::string stream;
  void declare(OptionSet& set) {
    set.add("distribution", &distribution, "normal of deviation 1, or uniform between -1 and 1")
        .choices({"normal", "uniform"});
    set.add("stream", &stream, "name of the stream of random numbers");
  }
};

// Numbers drawn from (seed, stream, step, row, element), so no tile or thread changes them.
class NoiseOp final : public OpBase<NoiseOp, NoiseOptions> {
 public:
  static constexpr const char* op_name = "noise";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 1);
    require(inputs[0].domain != Domain::Static, "takes the shape of values of rows, got a static value");
    return inputs[0];
  }

  bool has_gradient(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override {
    return call.to.add("ConstantOfShape", {call.to.add("Shape", {call.inputs[0]})});
  }

  template <class T>
  void run(const Call<T>& call) const {
    const int64_t width = call.shape->shape.elements();
    const RandomStream stream(call.run->seed, options_.stream);
    const bool is_normal = options_.distribution == "normal";
    for (int64_t row = 0; row < call.rows; ++row) {
      const auto position = static_cast<uint64_t>(call.first_row + row);
      T* y = call.output.data + row * call.output.stride;
      for (int64_t i = 0; i < width; ++i) {
        const auto element = static_cast<uint32_t>(i);
        if (!call.run->is_training) {
          y[i] = T(0);
        } else if (is_normal) {
          y[i] = static_cast<T>(stream.normal(call.run->step, position, element));
        } else {
          y[i] = static_cast<T>(2 * stream.uniform(call.run->step, position, element) - 1);
        }
      }
    }
  }
  template <class T>
  void gradient(const Call<T>&) const {}

  std::vector<OpCase> cases() const override {
    return {{.options = {{"stream", "one"}}, .inputs = {{Shape{5}, Domain::Row}}, .no_gradient = {0}},
            {.options = {{"distribution", "uniform"}, {"stream", "two"}},
             .inputs = {{Shape{2, 3}, Domain::Row}},
             .no_gradient = {0}}};
  }
};

const RegisterOp<NoiseOp> noise_registered;

}  // namespace

Var noise(Var like, const std::string& distribution, const std::string& name) {
  return like.graph().apply(std::make_shared<NoiseOp>(NoiseOptions{distribution, name}), {like});
}

}  // namespace gatewise

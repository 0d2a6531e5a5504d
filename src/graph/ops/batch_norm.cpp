#include "graph/ops.h"

namespace gatewise {
namespace {

struct BatchNormOptions {
  double epsilon = 1e-5;
  void declare(OptionSet& set) { set.add("epsilon", &epsilon, "added to the variance").above(0); }
};

// Inputs: x, batch moments (read in training only), running moments (read otherwise), scale, shift. The
// gradient through the batch moments goes on through the operation `moments`.
class BatchNormOp final : public OpBase<BatchNormOp, BatchNormOptions> {
 public:
  static constexpr const char* op_name = "batch_norm";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 5);
    const Shape& x = inputs[0].shape;
    Shape pair = x;
    pair.sizes.insert(pair.sizes.begin(), 2);
    require(inputs[0].domain == Domain::Row, "normalises values that exist once per row");
    for (size_t i = 1; i < 5; ++i) {
      const Shape& expected = i < 3 ? pair : x;
      require(inputs[i].domain == Domain::Static && inputs[i].shape == expected,
              "input {} must be static {} to fit x {}, got {}", i, expected.text(), x.text(),
              inputs[i].shape.text());
    }
    return inputs[0];
  }

  bool uses_input(int input, bool is_training) const override {
    return input == 1 ? is_training : input != 2 || !is_training;
  }
  bool has_gradient(int input) const override { return input != 2; }
  bool backward_reads_input(int input) const override { return input != 4; }

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    const auto moment = [&](int64_t which) {
      const std::string part =
          to.add("Slice", {call.inputs[2], to.integers({which}), to.integers({which + 1}), to.integers({0})});
      return to.add("Squeeze", {part, to.integers({0})});
    };
    const std::string deviation = to.add("Sqrt", {to.add("Add", {moment(1), to.real(options_.epsilon)})});
    const std::string factor = to.add("Div", {call.inputs[3], deviation});
    const std::string centred = to.add("Sub", {call.inputs[0], moment(0)});
    return to.add("Add", {to.add("Mul", {centred, factor}), call.inputs[4]});
  }

  template <class T>
  void run(const Call<T>& call) const {
    const bool is_training = call.inputs[1].data != nullptr;
    if (is_training && call.run->batch_rows < 2) {
      data_error(
          "batch_norm: a batch of {} row has no variance; expected at least 2 rows in training; use a larger "
          "batch, or normalisation = \"layer\"",
          call.run->batch_rows);
    }
    const int64_t width = call.shape->shape.elements();
    const T* mean = call.inputs[is_training ? 1 : 2].data;
    const std::vector<T> inverse = inverse_deviations(mean + width, width);
    const T* scale = call.inputs[3].data;
    const T* shift = call.inputs[4].data;
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* x = call.inputs[0].data + row * call.inputs[0].stride;
      T* y = call.output.data + row * call.output.stride;
      for (int64_t i = 0; i < width; ++i) y[i] = (x[i] - mean[i]) * inverse[i] * scale[i] + shift[i];
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const int64_t width = call.shape->shape.elements();
    const T* mean = call.inputs[1].data;
    const std::vector<T> inverse = inverse_deviations(mean + width, width);
    const T* scale = call.inputs[3].data;
    // Column sums of dy and of dy times the normalised x: all Static gradients follow from these.
    std::vector<T> sums(width), dots(width);
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* x = call.inputs[0].data + row * call.inputs[0].stride;
      const T* dy = call.d_output.data + row * call.d_output.stride;
      for (int64_t i = 0; i < width; ++i) {
        sums[i] += dy[i];
        dots[i] += dy[i] * (x[i] - mean[i]) * inverse[i];
      }
      if (call.d_inputs[0].data == nullptr) continue;
      T* dx = call.d_inputs[0].data + row * call.d_inputs[0].stride;
      for (int64_t i = 0; i < width; ++i) {
        const T value = dy[i] * scale[i] * inverse[i];
        dx[i] = call.accumulate[0] ? dx[i] + value : value;
      }
    }
    for (int64_t i = 0; i < width; ++i) {
      if (T* d_moments = call.d_inputs[1].data; d_moments != nullptr) {
        d_moments[i] -= sums[i] * scale[i] * inverse[i];
        d_moments[width + i] -= dots[i] * scale[i] * inverse[i] * inverse[i] / 2;
      }
      if (call.d_inputs[3].data != nullptr) call.d_inputs[3].data[i] += dots[i];
      if (call.d_inputs[4].data != nullptr) call.d_inputs[4].data[i] += sums[i];
    }
  }

  std::vector<OpCase> cases() const override {
    const Signature pair{Shape{2, 5}, Domain::Static}, one{Shape{5}, Domain::Static};
    return {{.inputs = {{Shape{5}, Domain::Row}, pair, pair, one, one},
             .low = 0.2,
             .high = 2,
             .no_gradient = {2}}};
  }

 private:
  template <class T>
  std::vector<T> inverse_deviations(const T* variance, int64_t width) const {
    std::vector<T> inverse(width);
    for (int64_t i = 0; i < width; ++i)
      inverse[i] = T(1) / std::sqrt(variance[i] + static_cast<T>(options_.epsilon));
    return inverse;
  }
};

const RegisterOp<BatchNormOp> batch_norm_registered;

}  // namespace

Var batch_norm(Var x, Var moments, Var running, Var scale, Var shift, double epsilon) {
  return x.graph().apply(std::make_shared<BatchNormOp>(BatchNormOptions{epsilon}),
                         {x, moments, running, scale, shift});
}

Var batch_norm(Var x, Var scale, Var shift, const std::string& state_path, double momentum, double epsilon) {
  Graph& graph = x.graph();
  const int64_t width = x.shape().elements();
  Shape pair = x.shape();
  pair.sizes.insert(pair.sizes.begin(), 2);
  const Var batch = moments(x);
  const Var running = graph.state(state_path, pair, moments_before_any_batch(width));
  graph.update(running, running_moments(running, batch, momentum));
  return batch_norm(x, batch, running, scale, shift, epsilon);
}

std::vector<double> moments_before_any_batch(int64_t width) {
  std::vector<double> initial(2 * width, 0.0);
  std::fill(initial.begin() + width, initial.end(), 1.0);
  return initial;
}

}  // namespace gatewise

#include "graph/ops.h"
#include "graph/reduction_op.h"

namespace gatewise {
namespace {

// A partial result is the number of rows, then the mean, then the sum of squared deviations of every element
// (Welford 1962); partial results are merged as Chan, Golub and LeVeque (1979) say.
class MomentsOp final : public ReductionOp<MomentsOp> {
 public:
  static constexpr const char* op_name = "moments";
  using ReductionOp::ReductionOp;

  Signature infer(std::span<const Signature> inputs) const override {
    require_rows(inputs);
    Signature output{inputs[0].shape, Domain::Static, -1};
    output.shape.sizes.insert(output.shape.sizes.begin(), 2);
    return output;
  }

  bool backward_reads_output() const override { return true; }
  int64_t partial_width(std::span<const Signature> inputs) const override {
    return 1 + 2 * inputs[0].shape.elements();
  }
  void start(const Signature& input, double* partial) const override {
    std::fill(partial, partial + 1 + 2 * input.shape.elements(), 0.0);
  }

  template <class T>
  void gather(const Call<T>& call, double* partial) const {
    const int64_t width = call.shapes[0].shape.elements();
    double* mean = partial + 1;
    double* squares = mean + width;
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* x = call.inputs[0].data + row * call.inputs[0].stride;
      const double share = 1 / ++partial[0];
      for (int64_t i = 0; i < width; ++i) {
        const double distance = static_cast<double>(x[i]) - mean[i];
        mean[i] += distance * share;
        squares[i] += distance * (static_cast<double>(x[i]) - mean[i]);
      }
    }
  }

  void merge(const Signature& input, double* into, const double* from) const override {
    const int64_t width = input.shape.elements();
    const double rows = into[0] + from[0];
    if (from[0] == 0) return;
    const double share = from[0] / rows;
    for (int64_t i = 1; i <= width; ++i) {
      const double distance = from[i] - into[i];
      into[i + width] += from[i + width] + distance * distance * into[0] * share;
      into[i] += distance * share;
    }
    into[0] = rows;
  }

  void finish(const Signature& input, const double* partial, int64_t rows, double* result) const override {
    const int64_t width = input.shape.elements();
    for (int64_t i = 0; i < width; ++i) {
      result[i] = partial[1 + i];
      result[width + i] = rows == 0 ? 0 : partial[1 + width + i] / static_cast<double>(rows);
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const int64_t width = call.shapes[0].shape.elements();
    const T share = T(1) / static_cast<T>(call.run->batch_rows);
    const T* mean = call.output.data;
    const T* d_mean = call.d_output.data;
    const T* d_variance = d_mean + width;
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* x = call.inputs[0].data + row * call.inputs[0].stride;
      T* dx = call.d_inputs[0].data + row * call.d_inputs[0].stride;
      for (int64_t i = 0; i < width; ++i) {
        const T value = share * (d_mean[i] + 2 * (x[i] - mean[i]) * d_variance[i]);
        dx[i] = call.accumulate[0] ? dx[i] + value : value;
      }
    }
  }

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{6}, Domain::Row}}},
            {.inputs = {{Shape{2, 3}, Domain::Row}}, .low = 3, .high = 5}};
  }
};

const RegisterOp<MomentsOp> moments_registered;

}  // namespace

Var moments(Var x) { return x.graph().apply(std::make_shared<MomentsOp>(), {x}); }

}  // namespace gatewise

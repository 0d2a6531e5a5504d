#include "graph/ops.h"

namespace gatewise {
namespace {

struct BestRivalOptions {
  int64_t k = 1;
  void declare(OptionSet& set) { set.add("k", &k, "rank among the other entries").range(1); }
};

// What an entry has to beat to be among the k largest: the k-th largest of the other entries.
class BestRivalOp final : public OpBase<BestRivalOp, BestRivalOptions> {
 public:
  static constexpr const char* op_name = "best_rival";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 1);
    require(inputs[0].shape.rank() >= 1, "needs an axis, got a scalar");
    require(options_.k < inputs[0].shape.last(), "an entry has only {} others, expected more than {}",
            inputs[0].shape.last() - 1, options_.k - 1);
    return inputs[0];
  }

  // Which entry the rival is, as a number.
  int64_t auxiliary_width(std::span<const Signature> inputs) const override {
    return inputs[0].shape.elements();
  }
  bool backward_reads_input(int) const override { return false; }

  template <class T>
  void run(const Call<T>& call) const {
    const int64_t entries = call.shape->shape.last(), width = call.shape->shape.elements();
    std::vector<int64_t> order(entries);
    for (int64_t row = 0; row < call.rows; ++row) {
      for (int64_t first = 0; first < width; first += entries) {
        const T* x = call.inputs[0].data + row * call.inputs[0].stride + first;
        T* rival = call.auxiliary.data + row * call.auxiliary.stride + first;
        T* y = call.output.data + row * call.output.stride + first;
        for (int64_t i = 0; i < entries; ++i) order[i] = i;
        std::partial_sort(order.begin(), order.begin() + options_.k + 1, order.end(),
                          [&](int64_t a, int64_t b) { return x[a] > x[b] || (!(x[a] < x[b]) && a < b); });
        for (int64_t i = 0; i < entries; ++i) rival[i] = static_cast<T>(order[options_.k - 1]);
        for (int64_t i = 0; i < options_.k; ++i) rival[order[i]] = static_cast<T>(order[options_.k]);
        for (int64_t i = 0; i < entries; ++i) y[i] = x[static_cast<int64_t>(rival[i])];
      }
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const int64_t entries = call.shape->shape.last(), width = call.shape->shape.elements();
    for (int64_t row = 0; row < call.rows; ++row) {
      T* dx = call.d_inputs[0].data + row * call.d_inputs[0].stride;
      const T* rival = call.auxiliary.data + row * call.auxiliary.stride;
      const T* dy = call.d_output.data + row * call.d_output.stride;
      if (!call.accumulate[0]) std::fill(dx, dx + width, T(0));
      for (int64_t i = 0; i < width; ++i) dx[i / entries * entries + static_cast<int64_t>(rival[i])] += dy[i];
    }
  }

  std::vector<OpCase> cases() const override {
    return {{.options = {{"k", 2}}, .inputs = {{Shape{6}, Domain::Row}}},
            {.options = {{"k", 1}}, .inputs = {{Shape{3, 4}, Domain::Row}}},
            {.options = {{"k", 3}}, .inputs = {{Shape{5}, Domain::Static}}}};
  }
};

const RegisterOp<BestRivalOp> best_rival_registered;

}  // namespace

Var best_rival(Var x, int64_t k) {
  return x.graph().apply(std::make_shared<BestRivalOp>(BestRivalOptions{k}), {x});
}

}  // namespace gatewise

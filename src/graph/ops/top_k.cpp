#include "graph/ops.h"

namespace gatewise {
namespace {

struct TopKOptions {
  int64_t k = 1;
  bool mask = false;
  void declare(OptionSet& set) {
    set.add("k", &k, "entries kept").range(1);
    set.add("mask", &mask, "gives 1 for every entry kept, without gradient, instead of the entry");
  }
};

class TopKOp final : public OpBase<TopKOp, TopKOptions> {
 public:
  static constexpr const char* op_name = "top_k";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 1);
    require(inputs[0].shape.rank() >= 1, "needs an axis, got a scalar");
    require(options_.k <= inputs[0].shape.last(), "cannot keep {} of {} entries", options_.k,
            inputs[0].shape.last());
    return inputs[0];
  }

  // 1 for every entry kept: a kept entry may itself be 0.
  int64_t auxiliary_width(std::span<const Signature> inputs) const override {
    return inputs[0].shape.elements();
  }
  bool backward_reads_input(int) const override { return false; }
  bool has_gradient(int) const override { return !options_.mask; }

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    const std::string& x = call.inputs[0];
    const std::vector<std::string> largest =
        to.operators("TopK", {x, to.integers({options_.k})}, {{"axis", -1}}, 2);
    const std::string zeros = to.add("ConstantOfShape", {to.add("Shape", {x})});
    std::string kept = largest[0];
    if (options_.mask) kept = to.add("Expand", {to.real(1), to.add("Shape", {largest[1]})});
    return to.add("ScatterElements", {zeros, largest[1], kept}, {{"axis", -1}});
  }

  template <class T>
  void run(const Call<T>& call) const {
    const int64_t entries = call.shape->shape.last(), width = call.shape->shape.elements();
    std::vector<int64_t> order(entries);
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* x = call.inputs[0].data + row * call.inputs[0].stride;
      T* kept = call.auxiliary.data + row * call.auxiliary.stride;
      T* y = call.output.data + row * call.output.stride;
      for (int64_t first = 0; first < width; first += entries) {
        const T* group = x + first;
        for (int64_t i = 0; i < entries; ++i) order[i] = i;
        std::partial_sort(order.begin(), order.begin() + options_.k, order.end(), [&](int64_t a, int64_t b) {
          return group[a] > group[b] || (!(group[a] < group[b]) && a < b);
        });
        std::fill(kept + first, kept + first + entries, T(0));
        for (int64_t i = 0; i < options_.k; ++i) kept[first + order[i]] = T(1);
      }
      for (int64_t i = 0; i < width; ++i) y[i] = options_.mask || kept[i] == T(0) ? kept[i] : x[i];
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const int64_t width = call.shape->shape.elements();
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* kept = call.auxiliary.data + row * call.auxiliary.stride;
      const T* dy = call.d_output.data + row * call.d_output.stride;
      T* dx = call.d_inputs[0].data + row * call.d_inputs[0].stride;
      for (int64_t i = 0; i < width; ++i) {
        const T value = kept[i] != T(0) ? dy[i] : T(0);
        dx[i] = call.accumulate[0] ? dx[i] + value : value;
      }
    }
  }

  std::vector<OpCase> cases() const override {
    return {{.options = {{"k", 2}}, .inputs = {{Shape{6}, Domain::Row}}},
            {.options = {{"k", 1}}, .inputs = {{Shape{3, 4}, Domain::Row}}},
            {.options = {{"k", 3}}, .inputs = {{Shape{5}, Domain::Static}}},
            {.options = {{"k", 2}, {"mask", true}}, .inputs = {{Shape{5}, Domain::Row}}, .no_gradient = {0}}};
  }
};

const RegisterOp<TopKOp> top_k_registered;

}  // namespace

Var top_k(Var x, int64_t k) { return x.graph().apply(std::make_shared<TopKOp>(TopKOptions{k}), {x}); }

Var top_k_mask(Var x, int64_t k) {
  return x.graph().apply(std::make_shared<TopKOp>(TopKOptions{k, true}), {x});
}

}  // namespace gatewise

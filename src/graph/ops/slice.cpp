#include "graph/ops.h"

namespace gatewise {
namespace {

struct SliceOptions {
  int64_t axis = -1;
  int64_t begin = 0;
  int64_t end = 0;
  void declare(OptionSet& set) {
    set.add("axis", &axis, "axis to cut; negative counts from the end");
    set.add("begin", &begin, "first entry").range(0);
    set.add("end", &end, "one past the last entry").range(0);
  }
};

class SliceOp final : public OpBase<SliceOp, SliceOptions> {
 public:
  static constexpr const char* op_name = "slice";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 1);
    const Shape& x = inputs[0].shape;
    const int64_t axis = axis_of(x);
    require(axis >= 0 && axis < x.rank(), "axis {} does not exist in {}", options_.axis, x.text());
    require(options_.begin < options_.end && options_.end <= x[axis], "[{}, {}) is outside axis {} of {}",
            options_.begin, options_.end, options_.axis, x.text());
    Signature output = inputs[0];
    output.shape.sizes[axis] = options_.end - options_.begin;
    return output;
  }

  bool is_view() const override { return true; }
  // A slice is contiguous within a row when every size before its axis is 1; the engine asks only then.
  int64_t view_offset(std::span<const Signature> inputs) const override {
    const Sizes size(inputs[0].shape, axis_of(inputs[0].shape));
    return size.outer == 1 ? options_.begin * size.inner : -1;
  }
  bool backward_reads_input(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override {
    if (call.shapes[0].shape == call.shape.shape) return call.inputs[0];
    Lowering& to = call.to;
    return to.add("Slice", {call.inputs[0], to.integers({options_.begin}), to.integers({options_.end}),
                            to.integers({call.axis_of(0, options_.axis)})});
  }

  template <class T>
  void run(const Call<T>& call) const {
    const Shape& whole = call.shapes[0].shape;
    const Sizes size(whole, axis_of(whole));
    const int64_t kept = (options_.end - options_.begin) * size.inner;
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* x = call.inputs[0].data + row * call.inputs[0].stride;
      T* y = call.output.data + row * call.output.stride;
      for (int64_t outer = 0; outer < size.outer; ++outer) {
        const T* from = x + (outer * size.axis + options_.begin) * size.inner;
        std::copy(from, from + kept, y + outer * kept);
      }
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const Shape& whole = call.shapes[0].shape;
    const Sizes size(whole, axis_of(whole));
    const int64_t kept = (options_.end - options_.begin) * size.inner;
    for (int64_t row = 0; row < call.rows; ++row) {
      T* dx = call.d_inputs[0].data + row * call.d_inputs[0].stride;
      const T* dy = call.d_output.data + row * call.d_output.stride;
      if (!call.accumulate[0]) std::fill(dx, dx + whole.elements(), T(0));
      for (int64_t outer = 0; outer < size.outer; ++outer) {
        T* into = dx + outer * size.axis * size.inner + options_.begin * size.inner;
        for (int64_t i = 0; i < kept; ++i) into[i] += dy[outer * kept + i];
      }
    }
  }

  std::vector<OpCase> cases() const override {
    return {{.options = {{"axis", 0}, {"begin", 1}, {"end", 3}}, .inputs = {{Shape{4, 3}, Domain::Row}}},
            {.options = {{"axis", -1}, {"begin", 2}, {"end", 5}}, .inputs = {{Shape{3, 6}, Domain::Row}}},
            {.options = {{"axis", 0}, {"begin", 0}, {"end", 2}}, .inputs = {{Shape{5}, Domain::Static}}}};
  }

 private:
  struct Sizes {
    int64_t outer = 1, axis, inner = 1;
    Sizes(const Shape& shape, int64_t at) : axis(shape[at]) {
      for (int64_t i = 0; i < at; ++i) outer *= shape[i];
      for (int64_t i = at + 1; i < shape.rank(); ++i) inner *= shape[i];
    }
  };

  int64_t axis_of(const Shape& shape) const {
    return options_.axis < 0 ? options_.axis + shape.rank() : options_.axis;
  }
};

const RegisterOp<SliceOp> slice_registered;

}  // namespace

Var slice(Var x, int64_t axis, int64_t begin, int64_t end) {
  return x.graph().apply(std::make_shared<SliceOp>(SliceOptions{axis, begin, end}), {x});
}

}  // namespace gatewise

#include "graph/ops.h"

namespace gatewise {
namespace {

struct ConcatenateOptions {
  int64_t axis = -1;
  void declare(OptionSet& set) { set.add("axis", &axis, "axis to join along; negative counts from the end"); }
};

class ConcatenateOp final : public OpBase<ConcatenateOp, ConcatenateOptions> {
 public:
  static constexpr const char* op_name = "concatenate";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require(!inputs.empty(), "needs at least one input");
    Signature output = joined(name(), inputs);
    output.shape = inputs[0].shape;
    const int64_t axis = axis_of(output.shape);
    require(axis >= 0 && axis < output.shape.rank(), "axis {} does not exist in {}", options_.axis,
            output.shape.text());
    output.shape.sizes[axis] = 0;
    for (const Signature& input : inputs) {
      require(input.shape.rank() == output.shape.rank(), "{} has another rank than {}", input.shape.text(),
              inputs[0].shape.text());
      for (int64_t i = 0; i < output.shape.rank(); ++i) {
        require(i == axis || input.shape[i] == output.shape[i], "{} does not fit {} along axis {}",
                input.shape.text(), inputs[0].shape.text(), options_.axis);
      }
      output.shape.sizes[axis] += input.shape[axis];
    }
    return output;
  }

  bool backward_reads_input(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override {
    std::vector<std::string> parts;
    for (size_t part = 0; part < call.inputs.size(); ++part) parts.push_back(call.expanded(part));
    if (parts.size() == 1) return parts[0];
    const int64_t axis = call.out_leading + axis_of(call.shape.shape);
    return call.to.add("Concat", parts, {{"axis", axis}});
  }

  template <class T>
  void run(const Call<T>& call) const {
    // Parts that the engine has placed inside the whole are there already.
    const auto is_there = [&](size_t part, int64_t offset) {
      return call.inputs[part].data == call.output.data + offset &&
             call.inputs[part].stride == call.output.stride;
    };
    const auto copy = [&](size_t part, int64_t row, int64_t offset, int64_t from, int64_t count) {
      const ConstRows<T>& x = call.inputs[part];
      const T* begin = x.data + row * x.stride + from;
      std::copy(begin, begin + count, call.output.data + row * call.output.stride + offset);
    };
    each_part(call, is_there, copy);
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    const auto is_unwanted = [&](size_t part, int64_t) { return call.d_inputs[part].data == nullptr; };
    const auto add = [&](size_t part, int64_t row, int64_t offset, int64_t from, int64_t count) {
      const Rows<T>& target = call.d_inputs[part];
      const T* dy = call.d_output.data + row * call.d_output.stride + offset;
      T* dx = target.data + row * target.stride + from;
      const bool adds = call.accumulate[part] || call.shapes[part].domain == Domain::Static;
      for (int64_t i = 0; i < count; ++i) dx[i] = adds ? dx[i] + dy[i] : dy[i];
    };
    each_part(call, is_unwanted, add);
  }

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{3}, Domain::Row}, {Shape{4}, Domain::Row}, {Shape{1}, Domain::Static}}},
            {.options = {{"axis", 0}}, .inputs = {{Shape{2, 3}, Domain::Row}, {Shape{1, 3}, Domain::Row}}},
            {.inputs = {{Shape{2, 3}, Domain::Row}, {Shape{2, 1}, Domain::Row}}}};
  }

 private:
  int64_t axis_of(const Shape& shape) const {
    return options_.axis < 0 ? options_.axis + shape.rank() : options_.axis;
  }

  // visit(part, row, offset in the output row, offset in the part's row, count) for every contiguous run of
  // the parts that are not left out: leaves_out(part, offset in the output row).
  template <class T, class LeavesOut, class Visit>
  void each_part(const Call<T>& call, const LeavesOut& leaves_out, const Visit& visit) const {
    const Shape& whole = call.shape->shape;
    const int64_t axis = axis_of(whole);
    int64_t inner = 1, outer = 1;
    for (int64_t i = axis + 1; i < whole.rank(); ++i) inner *= whole[i];
    for (int64_t i = 0; i < axis; ++i) outer *= whole[i];
    int64_t offset = 0;
    for (size_t part = 0; part < call.shapes.size(); ++part) {
      const int64_t count = call.shapes[part].shape[axis] * inner;
      const int64_t rows = leaves_out(part, offset) ? 0 : call.rows;
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t block = 0; block < outer; ++block) {
          visit(part, row, block * whole[axis] * inner + offset, block * count, count);
        }
      }
      offset += count;
    }
  }
};

const RegisterOp<ConcatenateOp> concatenate_registered;

}  // namespace

Var concatenate(const std::vector<Var>& parts, int64_t axis) {
  if (parts.size() == 1) return parts.front();
  return parts.at(0).graph().apply(std::make_shared<ConcatenateOp>(ConcatenateOptions{axis}), parts);
}

}  // namespace gatewise

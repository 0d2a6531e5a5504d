#include "graph/ops.h"

namespace gatewise {
namespace {

struct BinaryCodesOptions {
  int64_t entries = 2;
  void declare(OptionSet& set) { set.add("entries", &entries, "numbers that are spelled in bits").range(1); }
};

// y[i] = product over the bits j of i, the most significant first, of s[j] where the bit is 1, else 1 - s[j].
class BinaryCodesOp final : public OpBase<BinaryCodesOp, BinaryCodesOptions> {
 public:
  static constexpr const char* op_name = "binary_codes";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 1);
    const Shape& bits = inputs[0].shape;
    require(bits.rank() >= 1 && bits.last() < 31 && options_.entries <= int64_t{1} << bits.last(),
            "{} entries need more bits than {}", options_.entries, bits.text());
    Signature output = inputs[0];
    output.shape.sizes.back() = options_.entries;
    return output;
  }

  std::string lower(const LoweringCall& call) const override {
    // Factors offset + sign * s: s where the bit is 1, else 1 - s.
    Lowering& to = call.to;
    const int64_t bits = call.shapes[0].shape.last();
    std::vector<double> signs, offsets;
    for (int64_t i = 0; i < options_.entries; ++i) {
      for (int64_t j = 0; j < bits; ++j) {
        const bool is_one = (i >> (bits - 1 - j)) % 2 == 1;
        signs.push_back(is_one ? 1 : -1);
        offsets.push_back(is_one ? 0 : 1);
      }
    }
    const Shape table{options_.entries, bits};
    const std::string s = to.add("Unsqueeze", {call.inputs[0], to.integers({-2})});
    const std::string factors =
        to.add("Add", {to.add("Mul", {s, to.reals(signs, table)}), to.reals(offsets, table)});
    return to.add("ReduceProd", {factors}, {{"axes", {-1}}, {"keepdims", 0}});
  }

  template <class T>
  void run(const Call<T>& call) const {
    each_group(call, [&](const T* s, int64_t bits, int64_t row, int64_t group) {
      T* y = call.output.data + row * call.output.stride + group * options_.entries;
      for (int64_t i = 0; i < options_.entries; ++i) {
        y[i] = T(1);
        for (int64_t j = 0; j < bits; ++j) y[i] *= factor(s, i, j, bits);
      }
    });
  }

  // The product of the other factors comes from running products on both sides: a factor may be 0.
  template <class T>
  void gradient(const Call<T>& call) const {
    each_group(call, [&](const T* s, int64_t bits, int64_t row, int64_t group) {
      const T* dy = call.d_output.data + row * call.d_output.stride + group * options_.entries;
      T* ds = call.d_inputs[0].data + row * call.d_inputs[0].stride + group * bits;
      if (!call.accumulate[0]) std::fill(ds, ds + bits, T(0));
      std::array<T, 32> before{};
      for (int64_t i = 0; i < options_.entries; ++i) {
        T running = 1;
        for (int64_t j = 0; j < bits; ++j) {
          before[j] = running;
          running *= factor(s, i, j, bits);
        }
        running = 1;
        for (int64_t j = bits; j-- > 0;) {
          const T others = before[j] * running;
          ds[j] += is_set(i, j, bits) ? dy[i] * others : -dy[i] * others;
          running *= factor(s, i, j, bits);
        }
      }
    });
  }

  std::vector<OpCase> cases() const override {
    return {{.options = {{"entries", 8}}, .inputs = {{Shape{3}, Domain::Row}}, .low = 0, .high = 1},
            {.options = {{"entries", 3}}, .inputs = {{Shape{2, 2}, Domain::Row}}, .low = 0, .high = 1},
            {.options = {{"entries", 5}}, .inputs = {{Shape{2, 3}, Domain::Static}}, .low = 0, .high = 1},
            {.options = {{"entries", 1}}, .inputs = {{Shape{1}, Domain::Row}}, .low = 0, .high = 1}};
  }

 private:
  static bool is_set(int64_t entry, int64_t bit, int64_t bits) {
    return (entry >> (bits - 1 - bit) & 1) != 0;
  }

  template <class T>
  static T factor(const T* s, int64_t entry, int64_t bit, int64_t bits) {
    return is_set(entry, bit, bits) ? s[bit] : T(1) - s[bit];
  }

  // visit(the bits of a group, their number, row, group).
  template <class T, class Visit>
  static void each_group(const Call<T>& call, const Visit& visit) {
    const Shape& shape = call.shapes[0].shape;
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* s = call.inputs[0].data + row * call.inputs[0].stride;
      for (int64_t group = 0; group < shape.outer(); ++group) {
        visit(s + group * shape.last(), shape.last(), row, group);
      }
    }
  }
};

const RegisterOp<BinaryCodesOp> binary_codes_registered;

}  // namespace

Var binary_codes(Var bits, int64_t entries) {
  return bits.graph().apply(std::make_shared<BinaryCodesOp>(BinaryCodesOptions{entries}), {bits});
}

}  // namespace gatewise

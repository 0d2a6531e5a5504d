#include "graph/bag.h"
#include "graph/ops.h"

namespace gatewise {
namespace {

struct EmbeddingOptions {
  std::string pooling = "sum";
  void declare(OptionSet& set) {
    set.add("pooling", &pooling, "how a bag of ids is joined").choices({"sum", "mean"});
  }
};

// In blocks that compilers turn into vectors.
template <class T>
void copy_entry(int64_t width, const T* __restrict entry, T* __restrict out) {
  constexpr int64_t block = 4;
  int64_t i = 0;
  for (; i + block <= width; i += block) {
    for (int64_t k = i; k < i + block; ++k) out[k] = entry[k];
  }
  for (; i < width; ++i) out[i] = entry[i];
}

// The gradient of the table is not taken here: the engine keeps the gradient of the output for the whole
// batch and adds it to the touched rows in the order of their positions (engine/embeddings.h).
class EmbeddingOp final : public OpBase<EmbeddingOp, EmbeddingOptions> {
 public:
  static constexpr const char* op_name = "embedding";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 2);
    require(inputs[0].domain == Domain::Row && inputs[0].shape.rank() == 0, "the first input must be ids");
    require(inputs[1].domain == Domain::Static && inputs[1].shape.rank() == 2,
            "the table must be static [rows, width], got {}", inputs[1].shape.text());
    Signature output = inputs[0];
    output.shape = Shape{inputs[1].shape[1]};
    return output;
  }

  bool reads_matrix(int input) const override { return input == 1; }
  bool backward_reads_input(int) const override { return false; }

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    const std::string entries = to.add("Gather", {call.inputs[1], call.inputs[0]}, {{"axis", 0}});
    if (call.bag_weights.empty()) return entries;
    // Bags: ids [rows, longest], with a weight each that is 0 where a row has no more ids.
    const std::string weights = to.add("Unsqueeze", {call.bag_weights, to.integers({1})});
    const std::string sum = to.add("Squeeze", {to.add("MatMul", {weights, entries}), to.integers({1})});
    if (options_.pooling == "sum") return sum;
    const std::string total = to.add("ReduceSum", {call.bag_weights, to.integers({1})}, {{"keepdims", 1}});
    const std::string is_empty = to.add("Equal", {total, to.real(0)});
    const std::string divisor = to.add("Where", {is_empty, to.real(1), total});
    return to.add("Where", {is_empty, to.real(0), to.add("Div", {sum, divisor})});
  }

  template <class T>
  void run(const Call<T>& call) const {
    const int64_t width = call.shape->shape.elements();
    const T* table = call.inputs[1].data;
    const int64_t stride = call.inputs[1].stride;
    const Ids& ids = *call.ids;
    if (ids.offsets == nullptr) {
      // Entries lie anywhere in the table: they are called for ahead of time.
      constexpr int64_t ahead = 32;
      const auto entry = [&](int64_t row) { return table + ids.ids[row * ids.stride] * stride; };
      for (int64_t row = 0; row < std::min(ahead, call.rows); ++row) __builtin_prefetch(entry(row));
      T* out = call.output.data;
      for (int64_t row = 0; row < call.rows; ++row, out += call.output.stride) {
        if (row + ahead < call.rows) __builtin_prefetch(entry(row + ahead));
        copy_entry(width, entry(row), out);
      }
      return;
    }
    for (int64_t row = 0; row < call.rows; ++row) {
      T* out = call.output.data + row * call.output.stride;
      std::fill(out, out + width, T(0));
      const double scale = bag_scale(ids, row, options_.pooling == "mean");
      for (int64_t i = ids.offsets[row]; i < ids.offsets[row + 1]; ++i) {
        const T* entry = table + ids.ids[i] * stride;
        const T weight = static_cast<T>(scale * (ids.weights == nullptr ? 1.0 : ids.weights[i]));
        for (int64_t k = 0; k < width; ++k) out[k] += weight * entry[k];
      }
    }
  }

  template <class T>
  void gradient(const Call<T>&) const {}
};

const RegisterOp<EmbeddingOp> embedding_registered;

}  // namespace

Var embedding(Var ids, Var table, Pooling pooling) {
  const EmbeddingOptions options{pooling == Pooling::Sum ? "sum" : "mean"};
  return ids.graph().apply(std::make_shared<EmbeddingOp>(options), {ids, table});
}

}  // namespace gatewise

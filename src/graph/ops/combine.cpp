#include "graph/ops.h"

namespace gatewise {
namespace {

class CombineOp final : public OpBase<CombineOp> {
 public:
  static constexpr const char* op_name = "combine";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 3);
    const Signature& routed = inputs[0];
    const Shape& weights = inputs[1].shape;
    require(inputs[2].domain == Domain::Static && inputs[2].route >= 0, "the third input must be a route");
    require(routed.domain == Domain::Routed && routed.route == inputs[2].route,
            "the first input must be a value of the route's rows");
    require(inputs[1].domain != Domain::Routed, "the weights must belong to rows, not to routed rows");
    const int64_t branches = inputs[2].shape.elements();
    require((weights.rank() == 1 || weights.rank() == 2) && weights.last() == branches,
            "weights must be [{}] or [consumers, {}], got {}", branches, branches, weights.text());
    Signature output{routed.shape, Domain::Row, -1};
    if (weights.rank() == 2) output.shape.sizes.insert(output.shape.sizes.begin(), weights[0]);
    return output;
  }

  bool reads_whole_batch(int input) const override { return input == 0; }
  bool has_gradient(int input) const override { return input != 2; }
  bool backward_reads_input(int input) const override { return input != 2; }

  std::string lower(const LoweringCall& call) const override {
    Lowering& to = call.to;
    const bool has_consumers = call.shapes[1].shape.rank() == 2;
    if (call.parts.empty()) {
      if (has_consumers) return to.add("MatMul", {call.inputs[1], call.inputs[0]});
      const std::string weights = to.add("Unsqueeze", {call.inputs[1], to.integers({-2})});
      return to.add("Squeeze", {to.add("MatMul", {weights, call.inputs[0]}), to.integers({-2})});
    }
    const std::string weights = call.expanded(1);
    std::string sum = to.add("Expand", {to.real(0), call.sizes(call.shape.shape)});
    for (size_t branch = 0; branch < call.parts.size(); ++branch) {
      const LoweringCall::Part& part = call.parts[branch];
      const std::string own = to.add("Gather", {weights, part.rows}, {{"axis", 0}});
      const auto first = static_cast<int64_t>(branch);
      const std::string weight =
          to.add("Slice", {own, to.integers({first}), to.integers({first + 1}), to.integers({-1})});
      const std::string value =
          has_consumers ? to.add("Unsqueeze", {part.value, to.integers({1})}) : part.value;
      const std::string indices = to.add("Unsqueeze", {part.rows, to.integers({-1})});
      sum = to.add("ScatterND", {sum, indices, to.add("Mul", {weight, value})}, {{"reduction", "add"}});
    }
    return sum;
  }

  // The tile has batch rows; inputs[0] is the whole route. Branches are added in their order.
  template <class T>
  void run(const Call<T>& call) const {
    const Sizes size(call);
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* weights = call.inputs[1].data + row * call.inputs[1].stride;
      T* y = call.output.data + row * call.output.stride;
      std::fill(y, y + size.consumers * size.hidden, T(0));
      each_pair(call, row, [&](int64_t position, int64_t branch) {
        const T* expert = call.inputs[0].data + position * call.inputs[0].stride;
        for (int64_t consumer = 0; consumer < size.consumers; ++consumer) {
          const T weight = weights[consumer * size.branches + branch];
          T* into = y + consumer * size.hidden;
          for (int64_t i = 0; i < size.hidden; ++i) into[i] += weight * expert[i];
        }
      });
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    if (call.d_inputs[0].data != nullptr) d_routed(call);
    if (call.d_inputs[1].data != nullptr) d_weights(call);
  }

 private:
  struct Sizes {
    int64_t branches, consumers, hidden;
    template <class T>
    explicit Sizes(const Call<T>& call)
        : branches(call.shapes[1].shape.last()),
          consumers(call.shapes[1].shape.outer()),
          hidden(call.shapes[0].shape.elements()) {}
  };

  // visit(position in the route, branch) for the branches that a row of the tile took.
  template <class T, class Visit>
  static void each_pair(const Call<T>& call, int64_t row, const Visit& visit) {
    const Route& route = *call.route;
    const int64_t batch_row = call.first_row + row;
    for (int64_t pair = route.row_first[batch_row]; pair < route.row_first[batch_row + 1]; ++pair) {
      visit(route.row_positions[pair], route.row_branch[pair]);
    }
  }

  // Every routed row belongs to one batch row, so the tiles together write each of them once.
  template <class T>
  void d_routed(const Call<T>& call) const {
    const Sizes size(call);
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* weights = call.inputs[1].data + row * call.inputs[1].stride;
      const T* dy = call.d_output.data + row * call.d_output.stride;
      each_pair(call, row, [&](int64_t position, int64_t branch) {
        T* into = call.d_inputs[0].data + position * call.d_inputs[0].stride;
        if (!call.accumulate[0]) std::fill(into, into + size.hidden, T(0));
        for (int64_t consumer = 0; consumer < size.consumers; ++consumer) {
          const T weight = weights[consumer * size.branches + branch];
          const T* from = dy + consumer * size.hidden;
          for (int64_t i = 0; i < size.hidden; ++i) into[i] += weight * from[i];
        }
      });
    }
  }

  template <class T>
  void d_weights(const Call<T>& call) const {
    const Sizes size(call);
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* dy = call.d_output.data + row * call.d_output.stride;
      T* into = call.d_inputs[1].data + row * call.d_inputs[1].stride;
      if (!call.accumulate[1]) std::fill(into, into + size.consumers * size.branches, T(0));
      each_pair(call, row, [&](int64_t position, int64_t branch) {
        const T* expert = call.inputs[0].data + position * call.inputs[0].stride;
        for (int64_t consumer = 0; consumer < size.consumers; ++consumer) {
          T dot = 0;
          for (int64_t i = 0; i < size.hidden; ++i) dot += dy[consumer * size.hidden + i] * expert[i];
          into[consumer * size.branches + branch] += dot;
        }
      });
    }
  }
};

const RegisterOp<CombineOp> combine_registered;

}  // namespace

Var combine(Var routed, Var weights, Var route) {
  return routed.graph().apply(std::make_shared<CombineOp>(), {routed, weights, route});
}

}  // namespace gatewise

#include "gates/gate.h"

namespace gatewise {

Var GateRequest::of_consumers(Var slices) const {
  if (!own.is_valid()) return slices;
  Shape shape = slices.shape();
  shape.sizes[0] = 1;
  return reshape(own_rows(slices, own), shape);
}

void GateNetwork::declare(OptionSet& set) {
  set.add("hidden", &hidden, "widths of hidden layers before the weights; none in the papers")
      .range(1, 65536)
      .search(8, 128, true);
  set.add("activation", &activation, "after every hidden layer").choices(activation_names());
  set.add("bias", &bias, "whether the layers have a bias");
  set.add("initializer", &initializer, "of the weights").choices(Initializer::names());
  set.add("initializer_scale", &initializer_scale, "gain, or the deviation of \"normal\"").above(0);
}

Var GateNetwork::logits(const GateRequest& request) const { return logits(request, "", request.experts); }

Var GateNetwork::logits(const GateRequest& request, const std::string& suffix, int64_t outputs) const {
  std::vector<int64_t> units = hidden;
  units.push_back(outputs);
  return mlp_bank(request.x, with_suffix(request.paths, suffix),
                  {.units = units,
                   .hidden_activation = activation,
                   .output_activation = "none",
                   .has_bias = bias,
                   .initializer = Initializer::named(initializer, initializer_scale)},
                  request.own);
}

void Sparsity::declare(OptionSet& set) {
  set.add("k", &k, "experts kept per row and consumer; all when there are fewer").range(1, 4096).search(1, 4);
  set.add("routing", &routing,
          "\"routed\": only chosen experts run; \"dense\": all run; \"auto\": routed where less than half of "
          "the "
          "experts are expected to be chosen by a row")
      .choices({"auto", "dense", "routed"});
}

Var times(Var x, double factor) {
  return factor == 1 ? x : multiply(x, x.graph().constant({factor}, Shape{}));
}

Var mean_of_consumers(Var x) { return mean(reshape(x, Shape{x.shape().elements()})); }

Var squared_variation(Var x) {
  const int64_t experts = x.shape().last();
  const Var average = mean(x), squares = mean(square(x));
  const Var variance = subtract(squares, square(average));
  const Var small = x.graph().constant({1e-10}, Shape{});
  return experts == 1 ? times(average, 0) : divide(variance, add(square(average), small));
}

Var balance_loss(Var probabilities, Var mask, int64_t k) {
  const auto experts = static_cast<double>(probabilities.shape().last());
  const bool has_rows = mask.signature().domain != Domain::Static;
  const Var sent = stop_gradient(has_rows ? row_mean(mask) : mask);
  const Var probability = has_rows ? row_mean(probabilities) : probabilities;
  return times(mean_of_consumers(sum(multiply(sent, probability))), experts / static_cast<double>(k));
}

Var softmax_of_largest(const GateRequest& request, Var logits, int64_t k, const Schedule& balance_weight,
                       BalanceOver over) {
  const Var mask = top_k_mask(logits, k);
  const auto balanced = [&](Var x) {
    return over == BalanceOver::AllConsumers ? reshape(mean(x, 0), Shape{1, x.shape().last()}) : x;
  };
  add_penalty(request, "balance", balance_weight,
              [&] { return balance_loss(balanced(softmax(logits)), balanced(mask), k); });
  return masked_softmax(logits, mask);
}

}  // namespace gatewise

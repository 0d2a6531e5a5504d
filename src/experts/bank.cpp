#include "experts/bank.h"

#include "base/error.h"

namespace gatewise {
namespace {

struct NamedActivation {
  const char* name;
  Var (*apply)(Var);
};

constexpr NamedActivation activations[] = {
    {"none", [](Var x) { return x; }},
    {"relu", [](Var x) { return relu(x); }},
    {"leaky_relu", [](Var x) { return leaky_relu(x); }},
    {"swish", [](Var x) { return swish(x); }},
    {"gelu", [](Var x) { return gelu(x); }},
    {"gelu_tanh", [](Var x) { return gelu_tanh(x); }},
    {"tanh", [](Var x) { return tanh(x); }},
    {"sigmoid", [](Var x) { return sigmoid(x); }},
    {"elu", [](Var x) { return elu(x); }},
    {"softplus", [](Var x) { return softplus(x); }},
};

}  // namespace

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const NamedActivation& activation : activations) names.emplace_back(activation.name);
  return names;
}

Var activate(const std::string& name, Var x) {
  for (const NamedActivation& activation : activations) {
    if (name == activation.name) return activation.apply(x);
  }
  command_error("unknown activation \"{}\".{}", name, suggestion(name, activation_names()));
}

std::vector<std::string> normalisation_names() { return {"none", "batch", "layer"}; }

MlpBank::MlpBank(Graph& graph, const Shape& input, std::vector<std::string> paths, BankOptions options)
    : paths_(std::move(paths)), options_(std::move(options)), shares_input_(input.rank() == 1) {
  const auto networks = static_cast<int64_t>(paths_.size());
  if (options_.units.empty()) internal_error("a bank \"{}\" has no layer", paths_.front());
  int64_t in = input.last();
  for (size_t index = 0; index < options_.units.size(); ++index) {
    const int64_t out = options_.units[index];
    const bool is_last = index + 1 == options_.units.size();
    const std::vector<std::string> weights =
        with_suffix(paths_, fmt::format("/layer_{}/weight", options_.first_layer + index));
    const std::vector<std::string> biases =
        with_suffix(paths_, fmt::format("/layer_{}/bias", options_.first_layer + index));
    Layer layer;
    layer.activation = is_last ? options_.output_activation : options_.hidden_activation;
    if (index == 0 && shares_input_ && !options_.is_only_routed) {
      layer.weight = graph.parameter_blocks(weights, Shape{in, networks * out}, options_.initializer);
      if (options_.has_bias)
        layer.bias = graph.parameter_blocks(biases, Shape{networks * out}, Initializer::zero());
    } else {
      layer.weight = graph.parameter_bank(weights, Shape{networks, in, out}, options_.initializer);
      if (options_.has_bias)
        layer.bias = graph.parameter_bank(biases, Shape{networks, out}, Initializer::zero());
    }
    layers_.push_back(std::move(layer));
    in = out;
  }
  if (options_.normalisation != "none") add_norm(graph);
}

void MlpBank::add_norm(Graph& graph) {
  const auto networks = static_cast<int64_t>(paths_.size());
  const Shape shape{networks, options_.units.back()};
  norm_.scale = graph.parameter_bank(with_suffix(paths_, "/norm/scale"), shape, Initializer::one());
  norm_.shift = graph.parameter_bank(with_suffix(paths_, "/norm/shift"), shape, Initializer::zero());
  if (options_.normalisation != "batch") return;
  const int64_t hidden = shape.last();
  std::vector<Var> slices;
  for (const std::string& path : with_suffix(paths_, "/norm/running")) {
    norm_.states.push_back(graph.state(path, Shape{2, hidden}, moments_before_any_batch(hidden)));
    slices.push_back(reshape(norm_.states.back(), Shape{2, 1, hidden}));
  }
  norm_.running = concatenate(slices, 1);
}

// Batch norm of the sums of all networks; their running statistics are saved network by network.
Var MlpBank::batch_normed(Var x) const {
  const Var batch = moments(x);
  const Var running = running_moments(norm_.running, batch, batch_norm_momentum);
  for (size_t i = 0; i < norm_.states.size(); ++i) {
    const auto network = static_cast<int64_t>(i);
    const Var own = slice(running, 1, network, network + 1);
    x.graph().update(norm_.states[i], reshape(own, norm_.states[i].shape()));
  }
  return batch_norm(x, batch, norm_.running, norm_.scale, norm_.shift);
}

Var MlpBank::finish(Var x, size_t layer) const {
  const bool is_last = layer + 1 == layers_.size();
  if (layers_[layer].activation != "relu" || is_normed(layer)) x = activate(layers_[layer].activation, x);
  if (options_.dropout > 0 && (!is_last || options_.drops_output)) {
    x = dropout(x, options_.dropout,
                fmt::format("{}/layer_{}/dropout", paths_.front(), options_.first_layer + layer));
  }
  return x;
}

bool MlpBank::is_normed(size_t layer) const {
  return layer + 1 == layers_.size() && options_.normalisation != "none";
}

// ReLU is part of the product; other activations follow it, and all follow a normalisation.
Activation MlpBank::fused(size_t layer) const {
  return layers_[layer].activation == "relu" && !is_normed(layer) ? Activation::Relu : Activation::None;
}

Var MlpBank::dense(Var x) const {
  const auto networks = static_cast<int64_t>(paths_.size());
  const bool is_shared = shares_input_ && !options_.is_only_routed;
  if (shares_input_ && !is_shared)
    x = concatenate(std::vector<Var>(networks, reshape(x, Shape{1, x.shape().last()})), 0);
  for (size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    if (index == 0 && is_shared) {
      x = reshape(linear(x, layer.weight, layer.bias, fused(index)), Shape{networks, options_.units[0]});
    } else {
      x = grouped_linear(x, layer.weight, layer.bias, fused(index));
    }
    if (is_normed(index)) {
      x = options_.normalisation == "batch" ? batch_normed(x) : layer_norm(x, norm_.scale, norm_.shift);
    }
    x = finish(x, index);
  }
  return x;
}

Var MlpBank::own(Var x, Var ids) const {
  if (shares_input_ || options_.normalisation == "batch")
    internal_error("the bank \"{}\" has no networks of rows", paths_.front());
  for (size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    x = own_linear(x, layer.weight, layer.bias, ids, fused(index));
    if (is_normed(index)) x = scaled_norm(x, own_rows(norm_.scale, ids), own_rows(norm_.shift, ids));
    x = finish(x, index);
  }
  return x;
}

Var MlpBank::routed(Var x, Var route) const {
  const auto networks = static_cast<int64_t>(paths_.size());
  for (size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    x = index == 0 && shares_input_ && !options_.is_only_routed
            ? routed_linear_side_by_side(x, layer.weight, layer.bias, fused(index), networks)
            : routed_linear(x, layer.weight, layer.bias, fused(index));
    if (is_normed(index)) x = routed_norm(x, route);
    x = finish(x, index);
  }
  return x;
}

// Layer norm with a scale and shift of the row's own.
Var MlpBank::scaled_norm(Var x, Var scale, Var shift) const {
  Graph& graph = x.graph();
  const int64_t hidden = options_.units.back();
  const Var ones = graph.constant(std::vector<double>(hidden, 1), Shape{hidden});
  const Var zeros = graph.constant(std::vector<double>(hidden, 0), Shape{hidden});
  return add(multiply(layer_norm(x, ones, zeros), scale), shift);
}

// The normalisation as a factor and a summand for every unit of every network.
Var MlpBank::routed_norm(Var x, Var route) const {
  Graph& graph = x.graph();
  if (options_.normalisation == "layer")
    return scaled_norm(x, branch_rows(norm_.scale, route), branch_rows(norm_.shift, route));
  const Shape shape = norm_.scale.shape();
  const Var mean = reshape(slice(norm_.running, 0, 0, 1), shape);
  const Var variance = reshape(slice(norm_.running, 0, 1, 2), shape);
  const Var epsilon = graph.constant({batch_norm_epsilon}, Shape{});
  const Var factor = divide(norm_.scale, sqrt(add(variance, epsilon)));
  const Var summand = subtract(norm_.shift, multiply(mean, factor));
  return add(multiply(x, branch_rows(factor, route)), branch_rows(summand, route));
}

Var linear_bank(Var x, const std::vector<std::string>& weights, const std::vector<std::string>& biases,
                int64_t out, const Initializer& start, Var own) {
  Graph& graph = x.graph();
  const auto networks = static_cast<int64_t>(weights.size());
  const int64_t in = x.shape().last();
  Var bias;
  if (x.shape().rank() == 1 && !own.is_valid()) {
    const Var weight = graph.parameter_blocks(weights, Shape{in, networks * out}, start);
    if (!biases.empty()) bias = graph.parameter_blocks(biases, Shape{networks * out}, start);
    return reshape(linear(x, weight, bias), Shape{networks, out});
  }
  const Var weight = graph.parameter_bank(weights, Shape{networks, in, out}, start);
  if (!biases.empty()) bias = graph.parameter_bank(biases, Shape{networks, out}, start);
  if (own.is_valid()) return reshape(own_linear(x, weight, bias, own), Shape{1, out});
  return grouped_linear(x, weight, bias);
}

Var mlp_bank(Var x, const std::vector<std::string>& paths, const BankOptions& options, Var own) {
  if (own.is_valid()) {
    const Shape input{static_cast<int64_t>(paths.size()), x.shape().last()};
    return reshape(MlpBank(x.graph(), input, paths, options).own(x, own), Shape{1, options.units.back()});
  }
  return MlpBank(x.graph(), x.shape(), paths, options).dense(x);
}

std::vector<std::string> with_suffix(std::vector<std::string> paths, const std::string& suffix) {
  for (std::string& path : paths) path += suffix;
  return paths;
}

std::vector<std::string> numbered_paths(const std::string& prefix, int64_t count) {
  std::vector<std::string> paths;
  for (int64_t i = 0; i < count; ++i) paths.push_back(fmt::format("{}/{}", prefix, i));
  return paths;
}

}  // namespace gatewise

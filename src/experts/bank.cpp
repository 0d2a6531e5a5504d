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

std::vector<std::string> with_suffix(const std::vector<std::string>& paths, const std::string& suffix) {
  std::vector<std::string> result;
  for (const std::string& path : paths) result.push_back(path + suffix);
  return result;
}

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

Var mlp_bank(Var x, const std::vector<std::string>& paths, const BankOptions& options) {
  Graph& graph = x.graph();
  const auto networks = static_cast<int64_t>(paths.size());
  if (options.units.empty()) internal_error("a bank \"{}\" has no layer", paths.front());
  for (size_t layer = 0; layer < options.units.size(); ++layer) {
    const bool is_last = layer + 1 == options.units.size();
    const std::string& name = is_last ? options.output_activation : options.hidden_activation;
    // ReLU is part of the product; the others follow it.
    const Activation fused = name == "relu" ? Activation::Relu : Activation::None;
    const int64_t out = options.units[layer], in = x.shape().last();
    const std::vector<std::string> weights = with_suffix(paths, fmt::format("/layer_{}/weight", layer));
    const std::vector<std::string> biases = with_suffix(paths, fmt::format("/layer_{}/bias", layer));
    if (x.shape().rank() == 1) {
      const Var weight = graph.parameter_blocks(weights, Shape{in, networks * out}, options.initializer);
      const Var bias = options.has_bias
                           ? graph.parameter_blocks(biases, Shape{networks * out}, Initializer::zero())
                           : Var();
      x = reshape(linear(x, weight, bias, fused), Shape{networks, out});
    } else {
      const Var weight = graph.parameter_bank(weights, Shape{networks, in, out}, options.initializer);
      const Var bias =
          options.has_bias ? graph.parameter_bank(biases, Shape{networks, out}, Initializer::zero()) : Var();
      x = grouped_linear(x, weight, bias, fused);
    }
    if (fused == Activation::None) x = activate(name, x);
    if (options.dropout > 0 && (!is_last || options.drops_output)) {
      x = dropout(x, options.dropout, fmt::format("{}/layer_{}/dropout", paths.front(), layer));
    }
  }
  return x;
}

std::vector<std::string> numbered_paths(const std::string& prefix, int64_t count) {
  std::vector<std::string> paths;
  for (int64_t i = 0; i < count; ++i) paths.push_back(fmt::format("{}/{}", prefix, i));
  return paths;
}

}  // namespace gatewise

// The operations of graph/ops.h as functions of gatewise.graph.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "base/error.h"
#include "graph/ops.h"
#include "python/src/bindings.h"
#include "python/src/composition.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace gatewise {
namespace {

const PythonVar* pointer(const std::optional<PythonVar>& var) { return var ? &*var : nullptr; }

Activation activation_named(const std::string& name) {
  if (name == "none") return Activation::None;
  if (name == "relu") return Activation::Relu;
  command_error("activation: got \"{}\", expected \"none\" or \"relu\"; others are operations of their own",
                name);
}

template <Var (*operation)(Var)>
void add_unary(nb::module_& module, const char* name, const char* text) {
  module.def(
      name, [](const PythonVar& x) { return x.with(operation(x.var())); }, "x"_a, text);
}

// One of the two may be a number or an array of numbers.
template <Var (*operation)(Var, Var)>
PythonVar of_two(nb::handle a, nb::handle b) {
  PythonVar* var = nullptr;
  if (!nb::try_cast(a, var) && !nb::try_cast(b, var))
    command_error("graph: got two constants, expected at least one Var");
  Graph& graph = var->graph->get();
  const Var first = operand(graph, a);
  return var->with(operation(first, operand(graph, b)));
}

template <Var (*operation)(Var, Var)>
void add_binary(nb::module_& module, const char* name, const char* text, const char* first = "a",
                const char* second = "b") {
  module.def(name, &of_two<operation>, nb::arg(first), nb::arg(second), text);
}

void bind_elementwise(nb::module_& m) {
  add_unary<relu>(m, "relu", "max(x, 0).");
  add_unary<swish>(m, "swish", "x sigmoid(x).");
  add_unary<gelu>(m, "gelu", "x times the normal distribution function of x.");
  add_unary<gelu_tanh>(m, "gelu_tanh", "gelu by its tanh approximation.");
  add_unary<tanh>(m, "tanh", "Hyperbolic tangent.");
  add_unary<sigmoid>(m, "sigmoid", "1 / (1 + exp(-x)).");
  add_unary<softplus>(m, "softplus", "log(1 + exp(x)).");
  add_unary<exp>(m, "exp", "Exponential.");
  add_unary<log>(m, "log", "Natural logarithm.");
  add_unary<sqrt>(m, "sqrt", "Square root.");
  add_unary<square>(m, "square", "x x.");
  add_unary<normal_cdf>(m, "normal_cdf", "The distribution function of the standard normal distribution.");
  add_unary<stop_gradient>(m, "stop_gradient", "The value of x, but no gradient.");
  m.def(
      "leaky_relu", [](const PythonVar& x, double slope) { return x.with(leaky_relu(x.var(), slope)); },
      "x"_a, "slope"_a = 0.01, "x where it is positive, slope x elsewhere.");
  m.def(
      "elu", [](const PythonVar& x, double alpha) { return x.with(elu(x.var(), alpha)); }, "x"_a,
      "alpha"_a = 1.0, "x where it is positive, alpha (exp(x) - 1) elsewhere.");
  m.def(
      "smooth_step", [](const PythonVar& x, double gamma) { return x.with(smooth_step(x.var(), gamma)); },
      "x"_a, "gamma"_a = 1.0, "0 below -gamma / 2, 1 above gamma / 2, a cubic between.");
  constexpr const char* shapes =
      "Equal shapes, or one the innermost part of the other; numbers and arrays are constants.";
  add_binary<add>(m, "add", shapes);
  add_binary<subtract>(m, "subtract", shapes);
  add_binary<multiply>(m, "multiply", shapes);
  add_binary<divide>(m, "divide", shapes);
  add_binary<greater>(m, "greater", "1 where a > b, else 0; no gradient.");
  m.def(
      "select",
      [](const PythonVar& condition, const PythonVar& a, const PythonVar& b) {
        return a.with(select(condition.var(), a.var(), b.var()));
      },
      "condition"_a, "a"_a, "b"_a, "a where condition is not 0, else b; all of one shape.");
  m.def(
      "dropout",
      [](const PythonVar& x, double rate, const std::string& name) {
        return x.with(dropout(x.var(), rate, name));
      },
      "x"_a, "rate"_a, "name"_a,
      "In training each element is 0 with probability `rate`, otherwise scaled by 1 / (1 - rate). `name` "
      "keys its "
      "random numbers.");
  m.def(
      "noise",
      [](const PythonVar& like, const std::string& distribution, const std::string& name) {
        return like.with(noise(like.var(), distribution, name));
      },
      "like"_a, "distribution"_a, "name"_a,
      "Random numbers of the shape of `like`, anew in every training step, 0 otherwise: \"normal\" "
      "(deviation 1) or "
      "\"uniform\" (between -1 and 1).");
}

void bind_shapes(nb::module_& m) {
  m.def(
      "concatenate",
      [](const std::vector<PythonVar>& parts, int64_t axis) {
        if (parts.empty()) command_error("concatenate: got no value, expected at least one");
        return parts[0].with(concatenate(vars_of(parts), axis));
      },
      "parts"_a, "axis"_a = -1, "Joined along an axis; the other sizes agree.");
  m.def(
      "slice",
      [](const PythonVar& x, int64_t axis, int64_t begin, int64_t end) {
        return x.with(slice(x.var(), axis, begin, end));
      },
      "x"_a, "axis"_a, "begin"_a, "end"_a,
      "Entries begin to end - 1 of an axis; x[begin:end] for the first one.");
  m.def(
      "reshape",
      [](const PythonVar& x, std::vector<int64_t> shape) {
        return x.with(reshape(x.var(), Shape(std::move(shape))));
      },
      "x"_a, "shape"_a, "The same elements in another shape.");
  add_unary<transpose>(m, "transpose", "[.., m, n] -> [.., n, m].");
  m.def(
      "sum", [](const PythonVar& x, int64_t axis) { return x.with(sum(x.var(), axis)); }, "x"_a,
      "axis"_a = -1, "Over one axis, which disappears.");
  m.def(
      "mean", [](const PythonVar& x, int64_t axis) { return x.with(mean(x.var(), axis)); }, "x"_a,
      "axis"_a = -1, "Over one axis, which disappears.");
  add_unary<row_mean>(m, "row_mean", "The mean over the rows of the batch: one value a batch.");
  add_unary<batch_sum>(m, "batch_sum", "The sum over the rows of the batch: one value a batch.");
  add_unary<moments>(m, "moments", "Mean and biased variance over the rows: [width] -> [2, width].");
}

void bind_products(nb::module_& m) {
  const auto add_product = [&m](const char* name, Var (*operation)(Var, Var, Var, Activation),
                                const char* text) {
    m.def(
        name,
        [operation](const PythonVar& x, const PythonVar& weight, const std::optional<PythonVar>& bias,
                    const std::string& activation) {
          return x.with(
              operation(x.var(), weight.var(), optional_var(pointer(bias)), activation_named(activation)));
        },
        "x"_a, "weight"_a, "bias"_a = nb::none(), "activation"_a = "none", text);
  };
  add_product("linear", &linear,
              "x [.., in], weight [in, out], bias [out] -> [.., out]; activation \"none\" or \"relu\".");
  add_product("grouped_linear", &grouped_linear,
              "x [groups, in], weight [groups, in, out], bias [groups, out] -> [groups, out].");
  add_product("routed_linear", &routed_linear,
              "Routed x [in] by its branch's block of weight [branches, in, out] and bias [branches, out].");
  add_binary<product>(m, "product", "a [m, k], b [k, n] -> [m, n].");
  add_binary<mix>(
      m, "mix",
      "Weighted sums of experts [.., experts, hidden] by weights [.., experts] -> [.., hidden], or "
      "[.., consumers, experts] -> [.., consumers, hidden].",
      "experts", "weights");
  m.def(
      "routed_linear_side_by_side",
      [](const PythonVar& x, const PythonVar& weight, const PythonVar& bias, const std::string& activation,
         int64_t branches) {
        return x.with(routed_linear_side_by_side(x.var(), weight.var(), bias.var(),
                                                 activation_named(activation), branches));
      },
      "x"_a, "weight"_a, "bias"_a, "activation"_a, "branches"_a,
      "routed_linear with all weights side by side: [in, branches * out], bias [branches * out].");
  m.def(
      "own_linear",
      [](const PythonVar& x, const PythonVar& weight, const std::optional<PythonVar>& bias,
         const PythonVar& ids, const std::string& activation) {
        return x.with(own_linear(x.var(), weight.var(), optional_var(pointer(bias)), ids.var(),
                                 activation_named(activation)));
      },
      "x"_a, "weight"_a, "bias"_a, "ids"_a, "activation"_a = "none",
      "x [in] by the block of weight [n, in, out] and bias [n, out] that the row's id names -> [out].");
  add_binary<own_rows>(m, "own_rows", "The slice of [n, ..] that the row's id names -> [..].", "slices",
                       "ids");
  m.def(
      "embedding",
      [](const PythonVar& ids, const PythonVar& table, const std::string& pooling) {
        if (pooling != "sum" && pooling != "mean")
          command_error("embedding: got pooling \"{}\", expected \"sum\" or \"mean\"", pooling);
        return ids.with(embedding(ids.var(), table.var(), pooling == "mean" ? Pooling::Mean : Pooling::Sum));
      },
      "ids"_a, "table"_a, "pooling"_a = "sum",
      "The row of a table [rows, width] that the id names -> [width]; bags are summed or averaged.");
}

void bind_weights(nb::module_& m) {
  add_unary<softmax>(m, "softmax", "Over the last axis.");
  add_binary<masked_softmax>(m, "masked_softmax",
                             "Softmax over the last axis of x where the mask is not 0; weight 0 elsewhere.",
                             "x", "mask");
  add_unary<share>(m, "share", "Shares of the sum over the last axis; all 0 where the sum is 0.");
  const auto add_ranked = [&m](const char* name, Var (*operation)(Var, int64_t), const char* text) {
    m.def(
        name, [operation](const PythonVar& x, int64_t k) { return x.with(operation(x.var(), k)); }, "x"_a,
        "k"_a, text);
  };
  add_ranked("top_k", &top_k, "Keeps the k largest of the last axis and sets the rest to 0.");
  add_ranked("top_k_mask", &top_k_mask, "1 for the k largest of the last axis, 0 for the rest; no gradient.");
  add_ranked("best_rival", &best_rival,
             "For every entry of the last axis the k-th largest of the others: what it must exceed to be "
             "among the k "
             "largest.");
  m.def(
      "binary_codes",
      [](const PythonVar& bits, int64_t entries) { return bits.with(binary_codes(bits.var(), entries)); },
      "bits"_a, "entries"_a, "Products over the bits of 0 .. entries - 1: [.., bits] -> [.., entries].");
  m.def(
      "softmax_cross_entropy",
      [](const PythonVar& logits, const PythonVar& label) {
        return logits.with(softmax_cross_entropy(logits.var(), label.var()));
      },
      "logits"_a, "label"_a, "-log softmax(logits)[label]: [classes] -> [].");
}

void bind_norms(nb::module_& m) {
  m.def(
      "layer_norm",
      [](const PythonVar& x, nb::handle scale, nb::handle shift, double epsilon) {
        Graph& graph = x.graph->get();
        return x.with(layer_norm(x.var(), operand(graph, scale), operand(graph, shift), epsilon));
      },
      "x"_a, "scale"_a, "shift"_a, "epsilon"_a = 1e-5,
      "Over the last axis: (x - mean) / sqrt(variance + epsilon) scale + shift.");
  m.def(
      "rms_norm",
      [](const PythonVar& x, nb::handle scale, double epsilon) {
        return x.with(rms_norm(x.var(), operand(x.graph->get(), scale), epsilon));
      },
      "x"_a, "scale"_a, "epsilon"_a = 1e-6, "x / sqrt(mean of squares + epsilon) scale.");
  m.def(
      "batch_norm",
      [](const PythonVar& x, nb::handle scale, nb::handle shift, const std::string& state_path,
         double momentum, double epsilon) {
        Graph& graph = x.graph->get();
        return x.with(
            batch_norm(x.var(), operand(graph, scale), operand(graph, shift), state_path, momentum, epsilon));
      },
      "x"_a, "scale"_a, "shift"_a, "state_path"_a, "momentum"_a = batch_norm_momentum,
      "epsilon"_a = batch_norm_epsilon,
      "Normalised over the rows in training, by running moments otherwise, which are saved at `state_path`.");
  m.def(
      "running_moments",
      [](const PythonVar& running, const PythonVar& moments, double momentum) {
        return running.with(running_moments(running.var(), moments.var(), momentum));
      },
      "running"_a, "moments"_a, "momentum"_a,
      "(1 - momentum) running + momentum (mean, unbiased variance); [2, ..].");
}

void bind_routes(nb::module_& m) {
  m.def(
      "route",
      [](const PythonVar& chosen, double capacity_factor) {
        return chosen.with(route(chosen.var(), capacity_factor));
      },
      "chosen"_a, "capacity_factor"_a = 0.0,
      "Rows take the branches whose entry of chosen [branches] is not 0; in training a branch takes at most "
      "capacity_factor times its even share (0: no limit).");
  add_binary<gather>(m, "gather", "x of the row, once per routed row.", "x", "route");
  add_binary<gather_own>(m, "gather_own", "The branch's slice of x [branches, ..] for every routed row.", "x",
                         "route");
  add_binary<branch_rows>(m, "branch_rows",
                          "The branch's slice of a value per batch [branches, ..] for every routed row.",
                          "slices", "route");
  m.def(
      "alternative",
      [](const PythonVar& dense, const PythonVar& routed, bool routes_training, bool routes_scoring) {
        return dense.with(alternative(dense.var(), routed.var(), routes_training, routes_scoring));
      },
      "dense"_a, "routed"_a, "routes_training"_a, "routes_scoring"_a,
      "One value computed in two ways, of which one runs.");
  m.def(
      "combine",
      [](const PythonVar& routed, const PythonVar& weights, const PythonVar& route) {
        return weights.with(combine(routed.var(), weights.var(), route.var()));
      },
      "routed"_a, "weights"_a, "route"_a,
      "Routed values [hidden] by weights [branches] or [consumers, branches] -> [hidden] or [consumers, "
      "hidden].");
}

}  // namespace

void bind_operations(nb::module_& module) {
  bind_elementwise(module);
  bind_shapes(module);
  bind_products(module);
  bind_weights(module);
  bind_norms(module);
  bind_routes(module);
}

}  // namespace gatewise

// gatewise.graph: the core's parts as building blocks, and what gates and architectures of Python are given.
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "base/error.h"
#include "python/src/bindings.h"
#include "python/src/definitions.h"
#include "python/src/json_caster.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace gatewise {
namespace {

// The names of a GateInput's methods that add to the graph check first that it is still lent.
Var gate_logits(const PythonGateInput& x, const std::string& suffix, std::optional<int64_t> outputs) {
  x.graph->get();
  const GateNetwork plain;
  const GateNetwork& network = x.network == nullptr ? plain : *x.network;
  return network.logits(x.request, suffix, outputs.value_or(x.request.experts));
}

Var gate_parameter(const PythonGateInput& x, const std::string& name, std::vector<int64_t> sizes,
                   const Initializer& start) {
  sizes.insert(sizes.begin(), static_cast<int64_t>(x.request.paths.size()));
  const Var bank =
      x.graph->get().parameter_bank(with_suffix(x.request.paths, "/" + name), Shape(std::move(sizes)), start);
  return x.request.of_consumers(bank);
}

void bind_gate_input(nb::module_& module) {
  nb::class_<PythonGateInput, PythonVar>(
      module, "GateInput",
      "What a gate reads: [in], or [consumers, in]. A consumer is a task, or an expert of the next level. "
      "Parameters "
      "that are made here have a slice for each and are saved below its path, as gates/click/weight.")
      .def_prop_ro("experts", [](const PythonGateInput& x) { return x.request.experts; })
      .def_prop_ro(
          "consumers", [](const PythonGateInput& x) { return x.request.consumers(); },
          "How many weights of shape [experts] are wanted; 1 where rows belong to one task each.")
      .def_prop_ro(
          "paths", [](const PythonGateInput& x) { return x.request.paths; }, "One per consumer.")
      .def_prop_ro(
          "scope", [](const PythonGateInput& x) { return x.request.scope; },
          "Before the names of penalties and of parameters that consumers share.")
      .def(
          "logits",
          [](const PythonGateInput& x, const std::string& suffix, std::optional<int64_t> outputs) {
            return x.with(gate_logits(x, suffix, outputs));
          },
          "suffix"_a = "", "outputs"_a = nb::none(),
          "The network of the gate's options (hidden, activation, bias, initializer) for every consumer -> "
          "[consumers, outputs]; as many outputs as experts unless told. A second one needs another "
          "`suffix`.")
      .def(
          "parameter",
          [](const PythonGateInput& x, const std::string& name, std::vector<int64_t> shape,
             const Initializer& start) { return x.with(gate_parameter(x, name, std::move(shape), start)); },
          "name"_a, "shape"_a, "initializer"_a = Initializer::named("glorot_uniform", 1),
          "A parameter of this shape for every consumer -> [consumers, ..].")
      .def(
          "shared_parameter",
          [](const PythonGateInput& x, const std::string& name, std::vector<int64_t> shape,
             const Initializer& start) {
            return x.with(x.graph->get().parameter(x.request.scope + "gates_shared/" + name,
                                                   Shape(std::move(shape)), start));
          },
          "name"_a, "shape"_a, "initializer"_a = Initializer::named("glorot_uniform", 1),
          "A parameter that all consumers share.")
      .def(
          "add_penalty",
          [](const PythonGateInput& x, const std::string& name, const PythonVar& value) {
            x.graph->get().add_penalty(x.request.scope + name, value.var());
          },
          "name"_a, "value"_a, "Adds one number per batch to the loss, as it is.");
}

void bind_model_inputs(nb::module_& module) {
  nb::class_<TaskHead>(module, "Task", "What a task predicts.")
      .def_ro("name", &TaskHead::name)
      .def_ro("outputs", &TaskHead::outputs, "Logits: 1, or the number of classes.")
      .def_ro("kind", &TaskHead::kind, "\"binary\", \"regression\" or \"multiclass\".")
      .def("__repr__", [](const TaskHead& task) {
        return fmt::format("Task({}, {}, {} outputs)", task.name, task.kind, task.outputs);
      });
  nb::class_<PythonModelInputs>(module, "ModelInputs", "What an architecture is given.")
      .def_prop_ro(
          "x", [](const PythonModelInputs& m) { return PythonVar(m.graph, m.inputs.x); },
          "All features of the row side by side: [width].")
      .def_prop_ro(
          "features",
          [](const PythonModelInputs& m) {
            std::map<std::string, PythonVar> features;
            for (const auto& [name, value] : m.inputs.features) features[name] = PythonVar(m.graph, value);
            return features;
          },
          "The features by column.")
      .def_prop_ro("tasks", [](const PythonModelInputs& m) { return m.inputs.tasks; })
      .def_prop_ro("graph", [](const PythonModelInputs& m) { return m.graph; });
}

void bind_level(nb::module_& module) {
  nb::class_<ExpertGroup>(module, "ExpertGroup", "Experts that read one value, or a value each.")
      .def(
          "__init__",
          [](ExpertGroup* self, const PythonVar& x, std::vector<std::string> paths, std::string task) {
            new (self) ExpertGroup{x.var(), std::move(paths), std::move(task)};
          },
          "x"_a, "paths"_a, "task"_a = "",
          "x [in] shared, or [experts, in]; a path per expert; `task`: whose own they are, empty where they "
          "are shared.");
  nb::class_<Consumer>(module, "Consumer", "Somebody who mixes the outputs of experts by a gate.")
      .def(
          "__init__",
          [](Consumer* self, std::string path, const PythonVar& x, std::vector<int> sees, std::string task) {
            new (self) Consumer{std::move(path), x.var(), std::move(sees), {}, std::move(task)};
          },
          "path"_a, "x"_a, "sees"_a = std::vector<int>{0}, "task"_a = "",
          "path of its gate; x [in] that the gate reads; `sees`: places of groups; `task`: the one it "
          "serves, or empty.");
  nb::class_<PythonLevel>(module, "Level")
      .def_prop_ro(
          "mixed", [](const PythonLevel& l) { return PythonVar(l.graph, l.level.mixed); },
          "What the consumers got: [consumers, hidden].")
      .def_prop_ro(
          "experts", [](const PythonLevel& l) { return PythonVar(l.graph, l.level.experts); },
          "The outputs of all experts: [experts, hidden].")
      .def_prop_ro(
          "weights",
          [](const PythonLevel& l) {
            std::vector<PythonVar> weights;
            for (const Var weight : l.level.weights) weights.emplace_back(l.graph, weight);
            return weights;
          },
          "By consumer: [experts seen].");
}

PythonLevel make_level(const PythonModelInputs& m, const std::vector<ExpertGroup>& groups,
                       const std::vector<Consumer>& consumers, const Json& expert, const Json& gate,
                       const std::string& scope, bool is_last) {
  Graph& graph = m.graph->get();
  if (groups.empty() || consumers.empty())
    command_error("level: expected at least one group and one consumer");
  for (const Consumer& consumer : consumers) {
    for (const int group : consumer.sees) {
      if (group < 0 || group >= static_cast<int>(groups.size()))
        command_error("level: \"{}\" sees group {}, there are {}", consumer.path, group, groups.size());
    }
  }
  LevelOutput level = build_level(*make_part<Expert>(expert, "model.expert", "mlp"),
                                  *make_part<Gate>(gate, "model.gate", "softmax"), groups, consumers, scope,
                                  is_last ? m.inputs.row_task : Var());
  name_level(graph, level, scope);
  return {m.graph, std::move(level)};
}

void bind_functions(nb::module_& module) {
  nb::class_<PythonHeads>(module, "Heads", "The logits of all tasks; what an architecture returns.");
  module.def(
      "level", &make_level, "inputs"_a, "groups"_a, "consumers"_a, "expert"_a = nb::dict(),
      "gate"_a = nb::dict(), "scope"_a = "", "is_last"_a = true,
      "One level of a mixture: groups of experts, and consumers that mix them by gates; `expert` and `gate` "
      "are "
      "tables as in a configuration. Sparse gates route rows, and diagnosis finds experts and gates. "
      "`is_last`: "
      "the consumers are the tasks, in their order. `scope` tells the names of several levels apart, as "
      "\"levels/0/\".");
  module.def(
      "towers",
      [](const PythonModelInputs& m, const PythonVar& x, const Json& tower) {
        m.graph->get();
        return PythonHeads{m.graph, build_towers(*make_part<Tower>(tower, "model.tower", "mlp"), x.var(),
                                                 m.inputs.tasks, m.inputs.row_task)};
      },
      "inputs"_a, "x"_a, "tower"_a = nb::dict(),
      "A tower per task over x [in], which they share, or [tasks, in].");
  module.def(
      "experts",
      [](const PythonVar& x, const std::vector<std::string>& paths, const Json& expert) {
        return x.with(make_part<Expert>(expert, "model.expert", "mlp")->run(x.var(), paths));
      },
      "x"_a, "paths"_a, "expert"_a = nb::dict(),
      "An expert per path: x [in], or [experts, in] -> [experts, hidden].");
  module.def(
      "gate",
      [](const PythonVar& x, const std::vector<std::string>& paths, int64_t experts, const Json& gate,
         const std::string& scope) {
        const GateRequest request{x.var(), paths, experts, scope, {}};
        return x.with(make_part<Gate>(gate, "model.gate", "softmax")->weights(request));
      },
      "x"_a, "paths"_a, "experts"_a, "gate"_a = nb::dict(), "scope"_a = "",
      "The weights of a gate per path over the experts: x [in], or [consumers, in] -> [consumers, experts].");
  module.def("numbered", &numbered_paths, "prefix"_a, "count"_a, "The paths prefix/0 to prefix/<count - 1>.");
  module.def(
      "mlp",
      [](const PythonVar& x, const std::vector<std::string>& paths, const std::vector<int64_t>& units,
         const std::string& activation, const std::string& output_activation, bool bias,
         const Initializer& start) {
        if (units.empty()) command_error("mlp: got no units, expected the width of at least one layer");
        return x.with(mlp_bank(x.var(), paths,
                               {.units = units,
                                .hidden_activation = activation,
                                .output_activation = output_activation,
                                .has_bias = bias,
                                .initializer = start}));
      },
      "x"_a, "paths"_a, "units"_a, "activation"_a = "relu", "output_activation"_a = "relu", "bias"_a = true,
      "initializer"_a = Initializer::named("glorot_uniform", 1),
      "A network of plain layers per path: x [in], or [networks, in] -> [networks, units[-1]].");
}

}  // namespace

void bind_parts(nb::module_& module) {
  bind_gate_input(module);
  bind_model_inputs(module);
  bind_level(module);
  bind_functions(module);
}

void bind_definitions(nb::module_& module) {
  module.def("define_gate", &define_gate, "name"_a, "function"_a, "traits"_a,
             "Registers a gate; whether it replaces an earlier one. See gatewise.gate.");
  module.def("define_architecture", &define_architecture, "name"_a, "function"_a, "traits"_a,
             "Registers an architecture; whether it replaces an earlier one. See gatewise.architecture.");
}

}  // namespace gatewise

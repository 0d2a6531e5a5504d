#include "python/src/definitions.h"

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "base/error.h"
#include "python/src/declared_options.h"
#include "python/src/json_caster.h"

namespace nb = nanobind;

namespace gatewise {
namespace {

// A function with its options. Registries outlive the interpreter, so the reference to it is never given up.
class PythonDefinition {
 public:
  PythonDefinition(const std::string& kind, const std::string& name, nb::object function, Json traits)
      : where_(kind + " \"" + name + "\""),
        function_(function.release()),
        traits_(std::move(traits)),
        options_(traits_.at("options"), name) {}

  // With the interpreter's lock.
  nb::object call(const nb::tuple& arguments, const Json& options) const {
    nb::dict keywords;
    for (const auto& [name, value] : options.items()) keywords[name.c_str()] = object_of(value);
    return nb::borrow(function_)(*arguments, **keywords);
  }

  const std::string& where() const { return where_; }
  bool has(const char* trait) const { return traits_.value(trait, false); }
  std::string text(const char* trait) const { return traits_.value(trait, ""); }
  const DeclaredOptions& options() const { return options_; }

 private:
  std::string where_;
  nb::handle function_;
  Json traits_;
  DeclaredOptions options_;
};

std::string type_text(nb::handle object) {
  return nb::cast<std::string>(nb::str(object.type().attr("__name__")));
}

class PythonGate final : public Gate {
 public:
  PythonGate(std::shared_ptr<const PythonDefinition> definition, const Json& options, const std::string& path)
      : definition_(std::move(definition)),
        options_(
            definition_->options().read(options, path, [this](OptionSet& set) { declare_network(set); })) {}

  Var weights(const GateRequest& request) const override {
    const nb::gil_scoped_acquire lock;
    const LentGraph lent(request.x.graph());
    PythonGateInput input;
    static_cast<PythonVar&>(input) = PythonVar(lent.graph(), request.x);
    input.request = request;
    input.network = definition_->has("network") ? &network_ : nullptr;
    const nb::object result = definition_->call(nb::make_tuple(std::move(input), request.experts), options_);
    PythonVar* weights = nullptr;
    if (!nb::try_cast(result, weights) || weights == nullptr) {
      command_error("{}: its function returned a {}, expected a Var of weights [consumers, experts]",
                    definition_->where(), type_text(result));
    }
    const Var found = weights->var();
    const Shape expected{request.consumers(), request.experts};
    const Shape of_all{static_cast<int64_t>(request.paths.size()), request.experts};
    if (found.shape() != expected && found.shape() != of_all) {
      command_error("{}: its function returned weights of shape {}, expected {}: [consumers, experts]",
                    definition_->where(), found.shape().text(), expected.text());
    }
    return found;
  }

  bool sums_to_one() const override { return definition_->has("sums_to_one"); }
  bool is_sparse() const override { return definition_->has("sparse"); }
  int64_t active(int64_t experts) const override {
    const std::string option = definition_->text("active");
    return option.empty() ? experts : std::min(experts, options_.at(option).get<int64_t>());
  }

 private:
  void declare_network(OptionSet& set) {
    if (definition_->has("network")) network_.declare(set);
  }

  std::shared_ptr<const PythonDefinition> definition_;
  GateNetwork network_;
  Json options_;
};

class PythonArchitecture final : public Architecture {
 public:
  PythonArchitecture(std::shared_ptr<const PythonDefinition> definition, const Json& options,
                     const std::string& path)
      : definition_(std::move(definition)),
        options_(definition_->options().read(options, path, [](OptionSet&) {})) {}

  Heads build(const ModelInputs& inputs) const override {
    const nb::gil_scoped_acquire lock;
    const LentGraph lent(inputs.x.graph());
    const nb::object result =
        definition_->call(nb::make_tuple(PythonModelInputs{lent.graph(), inputs}), options_);
    PythonHeads* heads = nullptr;
    if (nb::try_cast(result, heads) && heads != nullptr) return heads->heads;
    if (!nb::isinstance<nb::dict>(result)) {
      command_error(
          "{}: its function returned a {}, expected what towers() gives, or a dict of logits by task",
          definition_->where(), type_text(result));
    }
    return heads_of_dict(nb::cast<nb::dict>(result), inputs.tasks);
  }

 private:
  Heads heads_of_dict(const nb::dict& logits, const std::vector<TaskHead>& tasks) const {
    Heads heads;
    for (const TaskHead& task : tasks) {
      PythonVar* found = nullptr;
      if (!logits.contains(task.name.c_str()) || !nb::try_cast(logits[task.name.c_str()], found) ||
          found == nullptr)
        command_error("{}: its function returned no logits of task \"{}\"", definition_->where(), task.name);
      const Var value = found->var();
      if (value.shape().elements() != task.outputs) {
        command_error("{}: the logits of task \"{}\" have shape {}, expected [{}]", definition_->where(),
                      task.name, value.shape().text(), task.outputs);
      }
      heads.of_task.push_back(reshape(value, Shape{task.outputs}));
    }
    return heads;
  }

  std::shared_ptr<const PythonDefinition> definition_;
  Json options_;
};

template <class Interface, class Part>
bool define(const std::string& name, const std::string& summary, Json options,
            std::shared_ptr<const PythonDefinition> definition) {
  return Registry<Interface>::instance().put({name, summary, std::move(options),
                                              [definition](const Json& given, const std::string& path) {
                                                return std::make_unique<Part>(definition, given, path);
                                              },
                                              true});
}

}  // namespace

bool define_gate(const std::string& name, nb::object function, const Json& traits) {
  const auto definition = std::make_shared<const PythonDefinition>("gate", name, std::move(function), traits);
  const std::string active = definition->text("active");
  GateNetwork network;
  Json options = definition->options().describe([&](OptionSet& set) {
    if (definition->has("network")) network.declare(set);
  });
  const bool is_declared = std::any_of(options.begin(), options.end(), [&](const Json& option) {
    return option["name"] == active && option["type"] == "integer";
  });
  if (!active.empty() && !is_declared)
    command_error("gate \"{}\": active: got \"{}\", expected the name of an int parameter", name, active);
  return define<Gate, PythonGate>(name, definition->text("summary"), std::move(options), definition);
}

bool define_architecture(const std::string& name, nb::object function, const Json& traits) {
  const auto definition =
      std::make_shared<const PythonDefinition>("architecture", name, std::move(function), traits);
  return define<Architecture, PythonArchitecture>(
      name, definition->text("summary"), definition->options().describe([](OptionSet&) {}), definition);
}

}  // namespace gatewise

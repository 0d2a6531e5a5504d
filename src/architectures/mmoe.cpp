// Multi-gate mixture of experts (Ma, Zhao, Yi, Chen, Hong, Chi; KDD 2018): shared experts, one gate per task.
#include "architectures/mixture.h"

namespace gatewise {
namespace {

class MultiGateMixture final : public Architecture {
 public:
  struct Options : MixtureOptions {
    int64_t levels = 1;
    void declare(OptionSet& set) {
      MixtureOptions::declare(set);
      set.add("levels", &levels,
              "levels of experts; each expert above the first level mixes the level below by a "
              "gate of its own")
          .range(1, 16);
    }
  };

  explicit MultiGateMixture(const Options& options) : options_(options), parts_(options) {}

  Heads build(const ModelInputs& inputs) const override {
    Graph& graph = inputs.x.graph();
    const Var gate_input = inputs.select(options_.gate_features, "model.gate_features");
    Var input = inputs.x;
    for (int64_t level = 0; level < options_.levels; ++level) {
      const std::string prefix = options_.levels == 1 ? "" : fmt::format("levels/{}/", level);
      const bool is_last = level + 1 == options_.levels;
      const Var experts = parts_.expert->bank(input, numbered_paths(prefix + "experts", options_.experts));
      const std::vector<std::string> consumers = is_last ? task_paths(prefix + "gates", inputs.tasks)
                                                         : numbered_paths(prefix + "gates", options_.experts);
      const Var gates = parts_.gate->weights(gate_input, consumers, options_.experts);
      graph.name_value(prefix + "experts", experts);
      graph.name_value(prefix + "gates", gates);
      input = mix(experts, gates);
    }
    return build_towers(*parts_.tower, input, inputs.tasks);
  }

 private:
  Options options_;
  MixtureParts parts_;
};

const Register<Architecture, MultiGateMixture> mmoe_registered{"mmoe",
                                                               "shared experts mixed by one gate per task"};

}  // namespace
}  // namespace gatewise

// Multi-gate mixture of experts (Ma, Zhao, Yi, Chen, Hong, Chi; KDD 2018): shared experts, one gate per task.
#include "architectures/architecture.h"

namespace gatewise {
namespace {

class MultiGateMixture final : public Architecture {
 public:
  struct Options {
    int64_t experts = 8;
    int64_t levels = 1;
    Json expert = Json::object();
    Json gate = Json::object();
    std::vector<std::string> gate_features;
    Json tower = Json::object();
    void declare(OptionSet& set) {
      set.add("experts", &experts, "number of experts in every level").range(1, 4096);
      set.add("levels", &levels,
              "levels of experts; each expert above the first level mixes the level below by a "
              "gate of its own")
          .range(1, 16);
      set.add("expert", &expert, "an expert: {type, units, ...}");
      set.add("gate", &gate, "a gate: {type, hidden, bias, ...}");
      set.add("gate_features", &gate_features, "columns that the gates read; [] means all");
      set.add("tower", &tower, "the network of a task: {type, units, ...}");
    }
  };

  explicit MultiGateMixture(const Options& options)
      : options_(options),
        expert_(make_part<Expert>(options.expert, "model.expert", "mlp")),
        gate_(make_part<Gate>(options.gate, "model.gate", "softmax")),
        tower_(make_part<Tower>(options.tower, "model.tower", "mlp")) {}

  Heads build(const ModelInputs& inputs) const override {
    Graph& graph = inputs.x.graph();
    const Var gate_input = inputs.select(options_.gate_features, "model.gate_features");
    Var input = inputs.x;
    for (int64_t level = 0; level < options_.levels; ++level) {
      const std::string prefix = options_.levels == 1 ? "" : fmt::format("levels/{}/", level);
      const bool is_last = level + 1 == options_.levels;
      const Var experts = expert_->bank(input, numbered_paths(prefix + "experts", options_.experts));
      const std::vector<std::string> consumers = is_last ? task_paths(prefix + "gates", inputs.tasks)
                                                         : numbered_paths(prefix + "gates", options_.experts);
      const Var gates = gate_->weights(gate_input, consumers, options_.experts);
      graph.name_value(prefix + "experts", experts);
      graph.name_value(prefix + "gates", gates);
      input = mix(experts, gates);
    }
    return build_towers(*tower_, input, inputs.tasks);
  }

 private:
  Options options_;
  std::unique_ptr<Expert> expert_;
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<Tower> tower_;
};

const Register<Architecture, MultiGateMixture> mmoe_registered{"mmoe",
                                                               "shared experts mixed by one gate per task"};

}  // namespace
}  // namespace gatewise

// One-gate mixture of experts: all tasks read the same mixture (Ma et al. 2018, the control of MMoE).
#include "architectures/architecture.h"

namespace gatewise {
namespace {

class OneGateMixture final : public Architecture {
 public:
  struct Options {
    int64_t experts = 8;
    Json expert = Json::object();
    Json gate = Json::object();
    std::vector<std::string> gate_features;
    Json tower = Json::object();
    void declare(OptionSet& set) {
      set.add("experts", &experts, "number of experts").range(1, 4096);
      set.add("expert", &expert, "an expert: {type, units, ...}");
      set.add("gate", &gate, "the gate: {type, hidden, bias, ...}");
      set.add("gate_features", &gate_features, "columns that the gate reads; [] means all");
      set.add("tower", &tower, "the network of a task: {type, units, ...}");
    }
  };

  explicit OneGateMixture(const Options& options)
      : options_(options),
        expert_(make_part<Expert>(options.expert, "model.expert", "mlp")),
        gate_(make_part<Gate>(options.gate, "model.gate", "softmax")),
        tower_(make_part<Tower>(options.tower, "model.tower", "mlp")) {}

  Heads build(const ModelInputs& inputs) const override {
    Graph& graph = inputs.x.graph();
    const Var experts = expert_->bank(inputs.x, numbered_paths("experts", options_.experts));
    const Var gate_input = inputs.select(options_.gate_features, "model.gate_features");
    const Var gates = gate_->weights(gate_input, {"gates/shared"}, options_.experts);
    graph.name_value("experts", experts);
    graph.name_value("gates", gates);
    return build_towers(*tower_, reshape(mix(experts, gates), Shape{experts.shape().last()}), inputs.tasks);
  }

 private:
  Options options_;
  std::unique_ptr<Expert> expert_;
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<Tower> tower_;
};

const Register<Architecture, OneGateMixture> omoe_registered{
    "omoe", "shared experts mixed by one gate for all tasks"};

}  // namespace
}  // namespace gatewise

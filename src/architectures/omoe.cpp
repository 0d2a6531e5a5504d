// One-gate mixture of experts: all tasks read the same mixture (Ma et al. 2018, the control of MMoE).
#include "architectures/mixture.h"

namespace gatewise {
namespace {

class OneGateMixture final : public Architecture {
 public:
  using Options = MixtureOptions;

  explicit OneGateMixture(const Options& options) : options_(options), parts_(options) {}

  Heads build(const ModelInputs& inputs) const override {
    Graph& graph = inputs.x.graph();
    const Var experts = parts_.expert->bank(inputs.x, numbered_paths("experts", options_.experts));
    const Var gate_input = inputs.select(options_.gate_features, "model.gate_features");
    const Var gates = parts_.gate->weights(gate_input, {"gates/shared"}, options_.experts);
    graph.name_value("experts", experts);
    graph.name_value("gates", gates);
    return build_towers(*parts_.tower, reshape(mix(experts, gates), Shape{experts.shape().last()}),
                        inputs.tasks);
  }

 private:
  Options options_;
  MixtureParts parts_;
};

const Register<Architecture, OneGateMixture> omoe_registered{
    "omoe", "shared experts mixed by one gate for all tasks"};

}  // namespace
}  // namespace gatewise

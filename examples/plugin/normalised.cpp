// A gate whose logits are normalised row by row, so that no task's gate can shout the others down: softmax of
// the logits with mean 0 and variance 1, divided by a temperature.
#include "gates/gate.h"

namespace gatewise {
namespace {

class NormalisedGate final : public Gate {
 public:
  struct Options {
    GateNetwork network;
    double temperature = 1;
    void declare(OptionSet& set) {
      network.declare(set);
      set.add("temperature", &temperature, "divides the normalised logits").above(0).search(0.25, 4, true);
    }
  };

  explicit NormalisedGate(Options options) : options_(std::move(options)) {}

  Var weights(const GateRequest& request) const override {
    Graph& graph = request.x.graph();
    const Shape shape{request.experts};
    const Var one = graph.constant(std::vector<double>(request.experts, 1.0), shape);
    const Var zero = graph.constant(std::vector<double>(request.experts, 0.0), shape);
    const Var logits = layer_norm(options_.network.logits(request), one, zero);
    return softmax(times(logits, 1 / options_.temperature));
  }

 private:
  Options options_;
};

const Register<Gate, NormalisedGate> normalised_registered{
    "normalised", "softmax of logits that are normalised row by row"};

}  // namespace
}  // namespace gatewise

#include "gates/gate.h"

namespace gatewise {
namespace {

class SoftmaxGate final : public Gate {
 public:
  struct Options {
    GateNetwork network;
    Schedule temperature = 1;
    void declare(OptionSet& set) {
      network.declare(set);
      temperature.declare(set, "temperature", "divides the logits: above 1 flattens, below 1 sharpens");
    }
  };

  explicit SoftmaxGate(Options options) : options_(std::move(options)) {}

  void check(const std::string& path) const override {
    options_.temperature.check(path + ".temperature", 1e-6);
  }

  Var weights(const GateRequest& request) const override {
    const Var logits = options_.network.logits(request);
    if (options_.temperature.is(1)) return softmax(logits);
    Graph& graph = request.x.graph();
    return softmax(divide(logits, options_.temperature.value(graph, request.scope + "temperature")));
  }

 private:
  Options options_;
};

const Register<Gate, SoftmaxGate> softmax_registered{
    "softmax", "every expert gets a share; the shares sum to one (Ma et al. 2018)"};

}  // namespace
}  // namespace gatewise

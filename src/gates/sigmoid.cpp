#include "gates/gate.h"

namespace gatewise {
namespace {

class SigmoidGate final : public Gate {
 public:
  struct Options {
    GateNetwork network;
    bool normalise = false;
    void declare(OptionSet& set) {
      network.declare(set);
      set.add("normalise", &normalise, "divides the weights by their sum");
    }
  };

  explicit SigmoidGate(Options options) : options_(std::move(options)) {}

  Var weights(const GateRequest& request) const override {
    const Var scores = sigmoid(options_.network.logits(request));
    return options_.normalise ? share(scores) : scores;
  }
  bool sums_to_one() const override { return options_.normalise; }

 private:
  Options options_;
};

const Register<Gate, SigmoidGate> sigmoid_registered{
    "sigmoid", "every expert is let through by a share of its own, without competition"};

}  // namespace
}  // namespace gatewise

#include "gates/gate.h"

namespace gatewise {
namespace {

class TopKGate final : public Gate {
 public:
  struct Options {
    Sparsity sparsity;
    GateNetwork network;
    Schedule balance_weight = 0;
    void declare(OptionSet& set) {
      sparsity.declare(set);
      network.declare(set);
      balance_weight.declare(set, "balance_weight",
                             "of the loss that spreads rows over experts (as in \"switch\")");
    }
  };

  explicit TopKGate(Options options) : options_(std::move(options)) {
    options_.balance_weight.check("gate.balance_weight", 0);
  }

  Var weights(const GateRequest& request) const override {
    return softmax_of_largest(request, options_.network.logits(request), active(request.experts),
                              options_.balance_weight);
  }
  bool is_sparse() const override { return true; }
  int64_t active(int64_t experts) const override { return options_.sparsity.kept(experts); }
  std::string routing() const override { return options_.sparsity.routing; }

 private:
  Options options_;
};

const Register<Gate, TopKGate> top_k_registered{
    "top_k", "softmax over the k experts with the largest logits; the others get nothing"};

}  // namespace
}  // namespace gatewise

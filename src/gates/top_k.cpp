#include "base/error.h"
#include "gates/gate.h"

namespace gatewise {
namespace {

class TopKGate final : public Gate {
 public:
  struct Options {
    Sparsity sparsity;
    GateNetwork network;
    bool per_example = true;
    Schedule balance_weight = 0;
    void declare(OptionSet& set) {
      sparsity.declare(set);
      set.add(
          "per_example", &per_example,
          "logits from the row; otherwise each is a parameter that starts as \"initializer\" and "
          "\"initializer_scale\" say, all rows get the same experts, and the network's other options do not "
          "count (\"hidden\" is refused)");
      network.declare(set);
      balance_weight.declare(set, "balance_weight",
                             "of the loss that spreads rows over experts (as in \"switch\")");
    }
  };

  explicit TopKGate(Options options) : options_(std::move(options)) {}

  void check(const std::string& path) const override {
    options_.balance_weight.check(path + ".balance_weight", 0);
    if (!options_.per_example && !options_.network.hidden.empty()) {
      command_error(
          "{}.hidden: got layers, but with per_example = false no network reads the row; leave them out, or "
          "set per_example = true",
          path);
    }
  }

  Var weights(const GateRequest& request) const override {
    const Var logits = options_.per_example ? options_.network.logits(request) : static_logits(request);
    return softmax_of_largest(request, logits, active(request.experts), options_.balance_weight);
  }
  bool is_sparse() const override { return true; }
  int64_t active(int64_t experts) const override { return options_.sparsity.kept(experts); }
  std::string routing() const override { return options_.sparsity.routing; }

 private:
  Var static_logits(const GateRequest& request) const {
    const GateNetwork& network = options_.network;
    const auto consumers = static_cast<int64_t>(request.paths.size());
    return request.of_consumers(request.x.graph().parameter_bank(
        with_suffix(request.paths, "/logits"), Shape{consumers, request.experts},
        Initializer::named(network.initializer, network.initializer_scale)));
  }

  Options options_;
};

const Register<Gate, TopKGate> top_k_registered{
    "top_k", "softmax over the k experts with the largest logits; the others get nothing"};

}  // namespace
}  // namespace gatewise

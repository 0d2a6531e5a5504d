// Balance without a loss (Wang et al. 2024, "Auxiliary-loss-free load balancing strategy"): a bias per
// expert, moved after every batch, decides who is chosen and never enters the weights.
#include "gates/gate.h"

namespace gatewise {
namespace {

class BiasBalancedGate final : public Gate {
 public:
  struct Options {
    Sparsity sparsity;
    GateNetwork network{false};
    std::string score = "sigmoid";
    double update_rate = 1e-3;
    bool renormalise = false;
    void declare(OptionSet& set) {
      sparsity.declare(set);
      network.declare(set);
      set.add("score", &score, "what turns logits into scores").choices({"sigmoid", "softmax"});
      set.add("update_rate", &update_rate, "how far an expert's bias moves after every batch")
          .range(0, 1)
          .search(1e-4, 1e-1, true);
      set.add("renormalise", &renormalise, "divides the kept scores by their sum");
    }
  };

  explicit BiasBalancedGate(Options options) : options_(std::move(options)) {}

  Var weights(const GateRequest& request) const override {
    Graph& graph = request.x.graph();
    const Var logits = options_.network.logits(request);
    const Var scores = options_.score == "sigmoid" ? sigmoid(logits) : softmax(logits);
    const int64_t k = active(request.experts);
    std::vector<Var> states, biases;
    // The load of an expert is that of the whole batch: rows of one consumer each share the biases.
    const std::vector<std::string> owners =
        request.own.is_valid() ? std::vector<std::string>{request.scope + "gates_shared"} : request.paths;
    for (const std::string& path : owners) {
      states.push_back(graph.state(path + "/balance", Shape{request.experts}, 0));
      biases.push_back(reshape(states.back(), Shape{1, request.experts}));
    }
    const Var mask = top_k_mask(add(scores, concatenate(biases, 0)), k);
    const Var counts = batch_sum(mask);
    for (int64_t consumer = 0; consumer < request.consumers(); ++consumer) {
      const Var count = reshape(slice(counts, 0, consumer, consumer + 1), Shape{request.experts});
      graph.update(states[consumer], moved(states[consumer], count));
    }
    const Var kept = multiply(scores, mask);
    return options_.renormalise ? share(kept) : kept;
  }
  bool sums_to_one() const override { return options_.renormalise; }
  bool is_sparse() const override { return true; }
  int64_t active(int64_t experts) const override { return options_.sparsity.kept(experts); }
  std::string routing() const override { return options_.sparsity.routing; }

 private:
  // bias + rate * sign(mean count - count).
  Var moved(Var bias, Var count) const {
    const Var average = mean(count);
    const Var sign = subtract(greater(average, count), greater(count, average));
    return add(bias, times(sign, options_.update_rate));
  }

  Options options_;
};

const Register<Gate, BiasBalancedGate> bias_balanced_registered{
    "bias_balanced", "top-k balanced by biases outside the gradient instead of a loss (Wang et al. 2024)"};

}  // namespace
}  // namespace gatewise

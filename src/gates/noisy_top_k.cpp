// Noisy top-k gating (Shazeer et al. 2017, "Outrageously large neural networks").
#include "gates/gate.h"

namespace gatewise {
namespace {

class NoisyTopKGate final : public Gate {
 public:
  struct Options {
    Sparsity sparsity;
    GateNetwork network{false, "zero"};
    bool noise = true;
    Schedule importance_weight = 0.1;
    Schedule load_weight = 0.1;
    void declare(OptionSet& set) {
      sparsity.declare(set);
      network.declare(set);
      set.add("noise", &noise, "whether logits get learned noise in training");
      importance_weight.declare(set, "importance_weight",
                                "of the squared variation of the experts' summed weights in a batch");
      load_weight.declare(set, "load_weight",
                          "of the squared variation of the experts' expected numbers of rows in a batch");
    }
  };

  explicit NoisyTopKGate(Options options) : options_(std::move(options)) {}

  void check(const std::string& path) const override {
    options_.importance_weight.check(path + ".importance_weight", 0);
    options_.load_weight.check(path + ".load_weight", 0);
  }

  Var weights(const GateRequest& request) const override {
    const int64_t k = active(request.experts);
    const Var clean = options_.network.logits(request);
    Var logits = clean, deviation;
    if (options_.noise) {
      // 0.01 keeps the noise alive; it is in the authors' code, not in the paper.
      const Var floor = clean.graph().constant({0.01}, Shape{});
      deviation = add(softplus(options_.network.logits(request, "/noise", request.experts)), floor);
      logits = add(clean, multiply(noise(clean, "normal", request.paths.front() + "/noise"), deviation));
    }
    const Var mask = top_k_mask(logits, k);
    const Var weights = masked_softmax(logits, mask);
    add_penalty(request, "importance", options_.importance_weight,
                [&] { return mean_of_consumers(squared_variation(batch_sum(weights))); });
    add_penalty(request, "load", options_.load_weight, [&] {
      return mean_of_consumers(squared_variation(load(clean, logits, deviation, mask, k)));
    });
    return weights;
  }
  bool is_sparse() const override { return true; }
  int64_t active(int64_t experts) const override { return options_.sparsity.kept(experts); }
  std::string routing() const override { return options_.sparsity.routing; }

 private:
  // Expected rows per expert if the noise were drawn again; a plain count, without gradient, where nothing is
  // random or all experts are kept.
  static Var load(Var clean, Var logits, Var deviation, Var mask, int64_t k) {
    if (!deviation.is_valid() || k == clean.shape().last()) return batch_sum(mask);
    return batch_sum(normal_cdf(divide(subtract(clean, best_rival(logits, k)), deviation)));
  }

  Options options_;
};

const Register<Gate, NoisyTopKGate> noisy_top_k_registered{
    "noisy_top_k",
    "top-k of logits with learned noise, and losses that balance importance and load (Shazeer et al. 2017)"};

}  // namespace
}  // namespace gatewise

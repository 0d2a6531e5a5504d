// Huber 1964: squared near zero, linear beyond delta.
#include "losses/loss.h"

namespace gatewise {
namespace {

class HuberLoss final : public Loss {
 public:
  struct Options {
    double delta = 1;
    void declare(OptionSet& set) {
      set.add("delta", &delta, "where the loss turns from squared to linear").above(0);
    }
  };
  explicit HuberLoss(Options options) : options_(options) {}

  Var rows(Var logits, Var labels) const override {
    Graph& graph = logits.graph();
    const auto scalar = [&](double value) { return graph.constant({value}, Shape{}); };
    const Var error = subtract(logits, labels);
    const Var size = select(greater(error, scalar(0)), error, multiply(error, scalar(-1)));
    const Var near = multiply(square(error), scalar(0.5));
    const Var far = multiply(subtract(size, scalar(options_.delta / 2)), scalar(options_.delta));
    return select(greater(size, scalar(options_.delta)), far, near);
  }
  Var prediction(Var logits) const override { return logits; }
  std::string task_kind() const override { return "regression"; }

 private:
  Options options_;
};

const Register<Loss, HuberLoss> huber_registered{"huber",
                                                 "half the squared error up to delta, linear beyond"};

}  // namespace
}  // namespace gatewise

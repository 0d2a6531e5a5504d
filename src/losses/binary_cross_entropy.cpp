#include "losses/loss.h"

namespace gatewise {
namespace {

class BinaryCrossEntropy final : public Loss {
 public:
  using Options = NoOptions;
  explicit BinaryCrossEntropy(Options) {}

  Var rows(Var logits, Var labels) const override {
    return subtract(softplus(logits), multiply(logits, labels));
  }
  Var prediction(Var logits) const override { return sigmoid(logits); }
  std::string task_kind() const override { return "binary"; }
};

const Register<Loss, BinaryCrossEntropy> binary_cross_entropy_registered{
    "binary_cross_entropy", "log(1 + exp(z)) - y z of a logit z and a label y in [0, 1]"};

}  // namespace
}  // namespace gatewise

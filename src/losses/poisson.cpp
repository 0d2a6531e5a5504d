#include "losses/loss.h"

namespace gatewise {
namespace {

class PoissonLoss final : public Loss {
 public:
  using Options = NoOptions;
  explicit PoissonLoss(Options) {}

  Var rows(Var logits, Var labels) const override { return subtract(exp(logits), multiply(logits, labels)); }
  Var prediction(Var logits) const override { return exp(logits); }
  std::optional<double> least_label() const override { return 0; }
  std::string task_kind() const override { return "regression"; }
};

const Register<Loss, PoissonLoss> poisson_registered{
    "poisson", "exp(z) - y z for counts y >= 0 without a transform; the prediction is exp(z)"};

}  // namespace
}  // namespace gatewise

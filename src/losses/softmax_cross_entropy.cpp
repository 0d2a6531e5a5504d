#include "losses/loss.h"

namespace gatewise {
namespace {

class SoftmaxCrossEntropy final : public Loss {
 public:
  using Options = NoOptions;
  explicit SoftmaxCrossEntropy(Options) {}

  Var rows(Var logits, Var labels) const override { return softmax_cross_entropy(logits, labels); }
  Var prediction(Var logits) const override { return softmax(logits); }
  bool is_over_classes() const override { return true; }
  std::string task_kind() const override { return "multiclass"; }
};

const Register<Loss, SoftmaxCrossEntropy> softmax_cross_entropy_registered{
    "softmax_cross_entropy", "-log of the softmax share of the true class"};

}  // namespace
}  // namespace gatewise

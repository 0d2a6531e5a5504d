#include "losses/loss.h"

namespace gatewise {
namespace {

class SquaredError final : public Loss {
 public:
  using Options = NoOptions;
  explicit SquaredError(Options) {}

  Var rows(Var logits, Var labels) const override { return square(subtract(logits, labels)); }
  Var prediction(Var logits) const override { return logits; }
  std::string task_kind() const override { return "regression"; }
};

const Register<Loss, SquaredError> squared_error_registered{"squared_error", "(prediction - label) squared"};

}  // namespace
}  // namespace gatewise

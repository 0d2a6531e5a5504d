#include "training/divergence.h"

#include <cmath>

#include "base/error.h"
#include "engine/finite_weights.h"

namespace gatewise {
namespace {

[[noreturn]] void report_diverged(const std::string& what, const DivergedAt& at) {
  const std::string kept = at.checkpoint.empty()
                               ? ""
                               : "; --resume goes on from the last checkpoint, " + at.checkpoint +
                                     ", also with another training.optimiser.rate or clip_norm";
  data_error(
      "training: {} at step {} (epoch {}); likely causes: a learning rate of {:.6g} that is too high, or "
      "unscaled "
      "numbers or labels; lower training.optimiser.rate, set clip_norm, or scale the columns{}",
      what, at.step, at.epoch, at.rate, kept);
}

}  // namespace

void report_diverged_loss(const std::vector<std::string>& parts, const DivergedAt& at) {
  const std::string of = parts.empty() ? "all tasks together" : fmt::format("{}", fmt::join(parts, ", "));
  report_diverged(fmt::format("the loss of {} is not finite", of), at);
}

void require_finite_weights(const Store<float>& store, const DivergedAt& at) {
  const auto found = find_not_finite(store);
  if (!found) return;
  report_diverged(fmt::format("parameter \"{}\" has become {}", found->path,
                              std::isnan(found->value) ? "NaN" : "infinite"),
                  at);
}

}  // namespace gatewise

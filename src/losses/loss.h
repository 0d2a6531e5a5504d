// The loss of a row, as a graph over the logits and the label.
#pragma once

#include <optional>

#include "base/registry.h"
#include "graph/ops.h"

namespace gatewise {

class Loss {
 public:
  virtual ~Loss() = default;
  // Elementwise losses: logits and labels [n] -> [n]. Losses over classes: logits [classes], label [] -> [].
  virtual Var rows(Var logits, Var labels) const = 0;
  // From logits to what is reported: probabilities, values.
  virtual Var prediction(Var logits) const = 0;
  virtual bool is_over_classes() const { return false; }
  // The least label that the loss takes, in original units: it models the number itself, without a transform.
  virtual std::optional<double> least_label() const { return std::nullopt; }
  // "binary", "regression" or "multiclass".
  virtual std::string task_kind() const = 0;
};

}  // namespace gatewise

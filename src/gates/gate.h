// A gate: which experts a consumer (a task, or an expert of the next level) listens to, row by row.
#pragma once

#include "experts/expert.h"

namespace gatewise {

class Gate {
 public:
  virtual ~Gate() = default;
  // Weights of every consumer over `experts`: x [in] shared, or [consumers, in] -> [consumers, experts].
  // One path per consumer ("gates/income").
  virtual Var weights(Var x, const std::vector<std::string>& paths, int64_t experts) const = 0;
  virtual bool is_sparse() const { return false; }
  virtual bool sums_to_one() const { return true; }
};

}  // namespace gatewise

// A tower: the network of one task between its representation and its outputs.
#pragma once

#include "experts/expert.h"

namespace gatewise {

class Tower {
 public:
  virtual ~Tower() = default;
  // One tower per path: x [in] shared, or [towers, in] -> [towers, outputs]; no activation at the end. With
  // ids `own` (or an empty Var) for every row the tower that its id names: x [in] -> [1, outputs].
  virtual Var bank(Var x, const std::vector<std::string>& paths, int64_t outputs, Var own) const = 0;
};

}  // namespace gatewise

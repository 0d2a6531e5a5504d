// Parameters that stay as they are while the rest of a model is trained.
#pragma once

#include <string>
#include <vector>

#include "engine/store.h"

namespace gatewise {

// Freezes every parameter, table and state whose path matches one of the patterns, in which * stands for any
// text: "experts/*". Returns the paths that the graph cannot hold still by itself: states, and slices of
// banks whose other slices are trained. Throws Error(Command) for a pattern that nothing matches.
std::vector<std::string> freeze(Graph& graph, const std::vector<std::string>& patterns);

// Holds the values of paths still through steps of training.
class FrozenPaths {
 public:
  FrozenPaths(Store<float>& store, const std::vector<std::string>& paths);
  // Before an update, so that neither moments nor the norm of all gradients know of them.
  void clear(Aligned<float>& gradients) const;
  // After an update.
  void restore();

 private:
  Store<float>& store_;
  std::vector<std::string> paths_;
  std::vector<std::vector<float>> values_;
};

}  // namespace gatewise

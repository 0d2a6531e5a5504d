// Whether a graph and an encoder belong together.
#pragma once

#include "features/feature_space.h"
#include "graph/graph.h"

namespace gatewise {

// Throws Error(Data) unless encoded rows of `space` bring every input that the graph's outputs read, as wide
// as it reads them and with ids that its tables have, and the graph has an output for each task, as wide as
// its kind says.
void require_model_fit(const Graph& graph, const FeatureSpace& space);

}  // namespace gatewise

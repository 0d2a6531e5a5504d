// What the tasks of a model have in common.
#pragma once

#include "base/threads.h"
#include "engine/store.h"
#include "features/encoded_data.h"
#include "features/feature_space.h"

namespace gatewise {

enum class SharedParts {
  Nothing,     // no parameter is moved by two tasks, and no penalty joins them
  Embeddings,  // tables of categories and bags alone
  Parameters,  // networks, gates, or a penalty on parameters
};

// Found by the gradients of the tasks' losses on some labelled rows of each task: a parameter that two of
// them move is shared. A model of one task shares nothing; where this cannot be seen (frozen parameters,
// gradients too large to be held side by side, labels of fewer than two tasks) it counts as sharing
// parameters.
SharedParts shared_parts(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                         const EncodedData& rows, Pool& pool);

}  // namespace gatewise

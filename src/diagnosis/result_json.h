// The parts of a diagnosis as JSON; docs/diagnosis.md describes every key.
#pragma once

#include "diagnosis/judge.h"
#include "diagnosis/slices.h"

namespace gatewise {

Json tasks_json(const Background& background);
// `drift`: level -> gate -> {epochs, weights, entropy, drift}.
Json levels_json(const Observed& seen, const Background& background, const Json& drift,
                 const std::optional<Slices>& slices);
Json gradients_json(const GradientStatistics& gradients, const Observed& seen, const Background& background);
Json columns_json(const std::vector<ColumnEffect>& effects, const Background& background);

}  // namespace gatewise

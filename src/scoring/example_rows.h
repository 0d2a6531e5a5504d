// A few rows that a model is saved with, and its predictions for them: whoever loads the model scores them
// first, so that a damaged model, or one that this machine computes differently, is found before it serves.
// The rows are made of what the encoder knows (levels, means, spreads); none is a row of the data.
#pragma once

#include <string>

#include "scoring/servable_model.h"

namespace gatewise {

// [{column: value}, ...]: typical values, values a spread above and below, other levels, and a row whose
// features are all missing.
Json example_instances(const Encoder& encoder);

// {"instances": as above, "predictions": [[number]] as PredictionRun gives them}; null for a graph that
// cannot be scored.
Json example_rows(const Graph& graph, const Store<float>& store, const Encoder& encoder);

// How far a prediction may be from the stored one, times the largest stored prediction of the same output
// for regressions: other instruction sets sum in other orders.
inline constexpr double example_tolerance = 1e-4;

// Scores the rows that the model was saved with; does nothing where there are none. Throws Error(Data),
// beginning with `where`, when a prediction is not finite or differs by more than the tolerance.
void check_example_rows(const ServableModel& model, const std::string& where);

}  // namespace gatewise

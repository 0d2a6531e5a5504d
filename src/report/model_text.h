// A saved model for people: what it predicts, from what, how large it is and how good it was.
#pragma once

#include <string>

#include "base/json.h"
#include "features/feature_space.h"
#include "graph/graph.h"
#include "report/style.h"

namespace gatewise {

// {inputs: {numbers, categories, bags}, tasks: [..], parameters: {total, groups: [{group, arrays, values}]}}.
// A group is the first part of parameter paths: "experts", "gates", "towers", "embeddings".
Json describe_model(const Graph& graph, const FeatureSpace& space);

// The table of parameters by group, and of what goes in and comes out.
std::string model_text(const Json& model, const Style& style = {});

}  // namespace gatewise

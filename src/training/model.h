// From a configuration to the graph of a model.
#pragma once

#include <memory>

#include "architectures/architecture.h"
#include "features/feature_space.h"

namespace gatewise {

// The usual loss of a kind of task: binary_cross_entropy, squared_error, softmax_cross_entropy.
std::string default_loss(const std::string& task_kind);

// The graph of a model over encoded rows; `model` is the table [model]: {type = "mmoe", options...}. Its
// inputs:
//   "numeric" [numeric width], "ids/<feature>", "bags/<feature>", "labels" [tasks].
// Its outputs, one per task by name: the probability, the class probabilities, or the value as trained
// (scaled labels). Named values: "logits/<task>", those of the architecture ("experts", "gates", ...). Losses
// are added under the tasks' names, in the order of space.tasks. Throws Error(Command) for unknown types and
// options.
std::unique_ptr<Graph> build_graph(const FeatureSpace& space, const Json& model);

// {type, every option with its value} of a [model] table: what is written beside a saved model.
Json complete_model_options(const Json& model);

}  // namespace gatewise

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
// are added under the tasks' names, in the order of space.tasks.
// Where rows belong to one task (FeatureSpace::has_own_labels) there is a further input, the ids "row_task",
// and "labels" is [1]; the one output and the one loss are called own_output, the logits "logits", and only
// what belongs to the row's task runs, as far as the architecture can say so. Throws Error(Command) for
// unknown types and options.
std::unique_ptr<Graph> build_graph(const FeatureSpace& space, const Json& model);

// The tasks in the order of the chain of events that this architecture assumes; empty for others.
std::vector<int64_t> chain_of_tasks(const FeatureSpace& space, const Json& model);

// Takes out of a [model] table what its type does not know but another architecture does ("experts" of "mmoe"
// under "home"), so that a configuration need only change the type. Returns a line for people about each.
std::vector<std::string> leave_out_foreign_options(Json& model);

// {type, every option with its value} of a [model] table: what is written beside a saved model.
Json complete_model_options(const Json& model);

}  // namespace gatewise

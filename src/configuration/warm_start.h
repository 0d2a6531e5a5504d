// fit --from MODEL: a trained model's parameters as the start of another run.
#pragma once

#include "configuration/configuration.h"
#include "model_file/model_directory.h"

namespace gatewise {

// The configuration for going on with `model`: its columns, tasks and architecture, and the tasks that
// `given` adds, also to its groups of tasks and its chain of events. Throws Error(Command) when `given`
// changes any of what the model has.
Json continue_configuration(const Json& given, const LoadedModel& model, const std::string& directory);

// The tables data and split for data files alone: read as the model's were, split 80/10/10 by row.
Json data_of_files(const std::vector<std::string>& files, const LoadedModel& model);

// Gives `into` the tables training and evaluation of `model` where `given` has none.
void keep_settings(const Json& given, const LoadedModel& model, Json& into);

// Copies every parameter and state of `from` into `to` by path. Rows that an embedding table has gained keep
// the values `to` was initialised with, and so do states that `from` lacks and parameters of new tasks,
// unless `copies` ({new task: old task}) names whose they start from. Throws Error(Data) when anything else
// differs.
void copy_parameters(const Store<float>& from, Store<float>& to, const std::vector<std::string>& new_tasks,
                     const Json& copies);

// Throws Error(Command) when `copies` names tasks that are not new, or not those of the model.
void check_copies(const Json& copies, const std::vector<std::string>& new_tasks, const Encoder& trained);

}  // namespace gatewise

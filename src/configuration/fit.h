// From a configuration and its rows to a trained, measured model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "configuration/training_rows.h"
#include "model_file/model_directory.h"

namespace gatewise {

// An untrained model of a configuration: its graph, its initial parameters, and what holds still.
struct UntrainedModel {
  std::unique_ptr<Graph> graph;
  std::unique_ptr<Store<float>> store;
  std::vector<std::string> frozen;  // paths, for TrainingRun
};

// Builds the graph over the rows' features and draws the parameters from the training seed; with `start`,
// those of that model are copied as [continue] says. Throws Error(Command) or Error(Data) as build_graph(),
// freeze() and copy_parameters() do, and Error(Data) when the parameters exceed the machine's memory.
UntrainedModel make_model(const Configuration& configuration, const TrainingRows& rows,
                          const LoadedModel* start = nullptr);

// Trains `model` in place on the rows and returns the history, as train() does. `run.frozen` is the model's;
// `run.identity` need only tell what the files hold.
Json fit_model(UntrainedModel& model, const Configuration& configuration, const TrainingRows& rows,
               TrainingRun run, Pool& pool);

// {validation, test: as evaluate()} of the parts there are, or {train} where there is neither.
Json measure_model(const UntrainedModel& model, const Configuration& configuration, const TrainingRows& rows,
                   Pool& pool);

// The configuration as it is written beside a model: with what the data has decided, and `output` as its
// directory.
Json completed_configuration(const Configuration& configuration, const TrainingRows& rows,
                             const std::string& output);

}  // namespace gatewise

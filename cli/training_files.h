// What the files of a configuration held when a model was trained on them.
#pragma once

#include "configuration/configuration.h"
#include "model_file/model_directory.h"

namespace gatewise {

// {train, validation, test: [{bytes, checksum} of each file]}; null for synthetic rows. Kept as "files" in
// the history of a model. Throws Error(Data) for a file that cannot be read.
Json contents_of_files(const Configuration& configuration);

// A line for each file that several parts name. Throws Error(Data) for a file that is not there.
std::vector<std::string> warnings_of_shared_files(const DataSpec& data);

// Throws Error(Data) where a file of the model's own configuration no longer holds what the model was trained
// on; `way_out` says what to do instead. Models without a record pass: older ones, and those fitted on tables
// in memory.
void require_same_files(const LoadedModel& model, const std::string& directory, const std::string& way_out);

}  // namespace gatewise

// What must not change between a run and its continuation: an array of [name, value], most telling first.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "engine/store.h"
#include "features/feature_space.h"
#include "training/trainer.h"

namespace gatewise {

// Adds the value field by field, as name.field and name[0].field.
void add_identity(Json& identity, const std::string& name, const Json& value);

// Of content that is too large to keep, for add_identity().
std::string digest_of(const std::string& content);

// run.identity, and what a run is without it: settings, rows, graph and tasks. How long a run is, what it
// reports and how fast it is computed is left out.
Json identity_of_run(const TrainingRun& run, const TrainingOptions& options, const EncodedData* rows,
                     const FeatureSpace& space, const Store<float>& store);

// Throws Error(Command), naming the first difference, unless the identity that was `saved` in the checkpoint
// `path` is the expected one. Returns a line for each difference that a run may have: a learning rate or
// largest norm of gradients that were changed after it diverged.
std::vector<std::string> compare_identities(const std::string& path, const Json& saved, const Json& expected);

}  // namespace gatewise

// Configurations made equal in size by their widths.
#pragma once

#include <string>
#include <vector>

#include "configuration/configuration.h"
#include "features/feature_space.h"

namespace gatewise {

// What was done to a configuration.
struct SolvedWidth {
  Json model;                 // the table [model] with the new widths
  double factor = 1;          // of the widths as configured
  int64_t parameters = 0;     // outside the embeddings
  std::vector<Json> changed;  // {option, from, to}, where these differ
  bool has_widths = true;     // whether there was anything to scale
};

// Values that a model has outside its embeddings.
int64_t parameters_of(const FeatureSpace& space, const Json& model);

// Whether the table [model] has this option of a dotted path ("expert.units"), given or by default.
bool has_option(const Json& model, const std::string& option);

// Scales the options named by dotted paths under [model] ("expert.units"), integers or lists of integers, all
// by one factor, so that the model comes as near as possible to `budget` parameters outside its embeddings.
// Paths that the architecture lacks are left alone; a model without any of them is returned as it is. Widths
// stay from 1 to 65536. Throws Error(Command) for an option of another kind, or as build_graph().
SolvedWidth solve_width(const FeatureSpace& space, const Json& model, int64_t budget,
                        const std::vector<std::string>& options);

}  // namespace gatewise

// What to change about a fault.
#pragma once

#include "diagnosis/judge.h"

namespace gatewise {

struct Remedy {
  std::string text;
  // Dotted path of the configuration -> value; null where the remedy is not one of settings. The changes of
  // several remedies can be applied one after another.
  Json changes = Json::object();
};

// For a model of this configuration (all fields written out).
Remedy remedy_for(const Verdict& verdict, const Json& configuration);

// The configuration with the changes of all verdicts, first ones winning, and another directory for the
// model. Throws Error(Data) when there is nothing to change, or the changes leave all as it is.
Json suggested_configuration(const Json& configuration, const std::vector<Remedy>& remedies);

}  // namespace gatewise

// Everything that can be named in a configuration, from the registries.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "report/style.h"

namespace gatewise {

// {architecture: {mmoe: {summary, options}}, expert: .., gate: .., tower: .., loss: .., metric: ..,
// "synthetic table": ..}; options as OptionSet::describe() gives them.
Json describe_plugins();

// Every entry of `catalogue` of the given name, as {kind: entry}; a name may be of several kinds.
Json find_in_catalogue(const Json& catalogue, const std::string& name);
std::vector<std::string> catalogue_names(const Json& catalogue);

// The names with their summaries, kind by kind.
std::string catalogue_text(const Json& catalogue, const Style& style = {});
// One entry in full: summary, and each option with type, default, limits, where `gatewise tune`
// looks for good values, and help.
std::string entry_text(const std::string& kind, const std::string& name, const Json& entry,
                       const Style& style = {});

}  // namespace gatewise

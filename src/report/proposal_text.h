// A proposed configuration as TOML to be saved and edited; what led to it stands beside it in comments.
#pragma once

#include <string>

#include "base/json.h"

namespace gatewise {

// `proposal` as Proposal::to_json() gives it.
std::string proposal_toml(const Json& proposal);

// A value on one line of TOML: 0.5, "text", [1, 2], {kind = "fraction", seed = 1}. There is no null in TOML;
// members that are null are left out.
std::string inline_toml(const Json& value);
// A key, in quotes where it has to be.
std::string toml_key(const std::string& key);

}  // namespace gatewise

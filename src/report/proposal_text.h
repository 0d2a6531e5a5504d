// A proposed configuration as TOML to be saved and edited; what led to it stands beside it in comments.
#pragma once

#include <string>

#include "base/json.h"

namespace gatewise {

// `proposal` as Proposal::to_json() gives it.
std::string proposal_toml(const Json& proposal);

}  // namespace gatewise

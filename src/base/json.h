// The one tree type for configuration, reports and metadata. Keys keep their order.
#pragma once

#include <nlohmann/json.hpp>

namespace gatewise {
using Json = nlohmann::ordered_json;
}  // namespace gatewise

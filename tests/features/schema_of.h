#pragma once

#include "features/schema.h"

namespace gatewise {

inline Schema schema_of(const char* json) { return Schema::from_json(Json::parse(json)); }

}  // namespace gatewise

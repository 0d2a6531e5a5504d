// JSON and CBOR from outside: whatever the bytes are, reading them takes no more stack than a description
// needs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace gatewise {

// Objects and lists within each other; trees are walked by recursion later.
inline constexpr int most_json_levels = 200;

// The tree of a text that is one JSON value in UTF-8; nothing, and in `fault` the reason, for any other.
std::optional<Json> read_json(std::string_view text, std::string& fault);
// The same of bytes that are one CBOR value.
std::optional<Json> read_cbor(std::string_view bytes, std::string& fault);

}  // namespace gatewise

// A second, slower look at the JSON of a request that is refused: what is wrong with it, and where.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

namespace gatewise {

// The same JSON with its whole numbers beyond 64 bits as floating-point numbers (18446744073709551616.0): the
// parser of requests knows them in this form only. Empty: there are none.
std::string with_wide_numbers(std::string_view json);

// Throws Refusal(400) naming row and column, byte and line of the fault, as far as they can be found;
// `reason` is what the parser says of it.
[[noreturn]] void refuse_json(std::string_view json, std::string_view reason);

// Throws Refusal(400) naming the field that an object has twice.
void check_given_once(simdjson::dom::object object, std::string_view where);

}  // namespace gatewise

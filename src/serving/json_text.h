// Writing JSON at the end of a text, as fast as the answers of a server need it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gatewise {

// In quotes, escaped. A text that is not UTF-8 loses the bytes that are not ASCII.
void append_json_text(std::string& to, std::string_view text);
// The shortest decimal number that reads as the same float. `value` must be finite: JSON has no other.
void append_json_number(std::string& to, float value);
void append_json_number(std::string& to, double value);
void append_json_number(std::string& to, int64_t value);

// {"error": "..."}; long messages are cut.
std::string json_error(std::string_view message);

}  // namespace gatewise

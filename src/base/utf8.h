// Texts from outside: configurations, models and reports are UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace gatewise {

// Whether every byte belongs to a character: no overlong forms, no halves of surrogate pairs.
bool is_utf8(std::string_view text);

// The text with each byte that belongs to no character as \xe9, for messages.
std::string with_bytes_escaped(std::string_view text);

}  // namespace gatewise

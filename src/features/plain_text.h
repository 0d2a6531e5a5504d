// Texts that mean the same value in files of different programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gatewise {

// A whole number is "1.0" in a file of floats and "1" in another; a truth value is "true", "True" or "TRUE".
// Nothing else is one with another text: "01" and "1" may be two codes.

// The one spelling of all that mean the same: "1", "true".
std::string plain_text(std::string_view text);
// All spellings, the plain one first.
std::vector<std::string> spellings_of(std::string_view text);

}  // namespace gatewise

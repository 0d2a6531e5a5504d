// A prediction as files and answers have it.
#pragma once

#include <string>

namespace gatewise {

// At the end of a text, the shortest decimal number that reads back to the same float, where the value is
// one, and to the same double otherwise: a probability takes 9 digits at most, a value in original units as
// many as its scale asks for. `value` must be finite.
void append_prediction(std::string& to, double value);

}  // namespace gatewise

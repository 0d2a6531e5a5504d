// A diagnosis for people, from its JSON (docs/diagnosis.md).
#pragma once

#include <string>

#include "base/json.h"
#include "report/style.h"

namespace gatewise {

// The answer about sharing first, then verdicts with evidence and remedy, then tables of tasks, experts,
// gates, gradients and columns. `width`: columns of the terminal.
std::string diagnosis_text(const Json& diagnosis, const Style& style = {}, size_t width = 100);

}  // namespace gatewise

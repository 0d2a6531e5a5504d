// A diagnosis for people, from its JSON (docs/diagnosis.md).
#pragma once

#include <string>

#include "base/json.h"
#include "report/style.h"

namespace gatewise {

// The answer about sharing first, then verdicts with evidence and remedy, then tables of tasks, experts,
// gates, gradients and columns. `width`: columns of the terminal.
std::string diagnosis_text(const Json& diagnosis, const Style& style = {}, size_t width = 100);

// The numbers behind a verdict: "gradient share 0.8380; threshold 0.8".
std::string evidence_text(const Json& evidence);
// The settings that a remedy changes: "model.gate.balance = 0.01".
std::string changes_text(const Json& changes);

}  // namespace gatewise

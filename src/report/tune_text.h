// The search for settings, for terminals.
#pragma once

#include <string>

#include "base/json.h"
#include "report/style.h"

namespace gatewise {

// `result` as Tuner::result() gives it, with `configuration`, the file of the best one, and `seconds`.
std::string tune_text(const Json& result, const Style& style = {});

// One line about a trial that has ended: its place, value, and settings. `best` is the best value so far, or
// null.
std::string trial_text(const Json& trial, const Json& best, int64_t trials);

// A value of an option: short numbers, texts without quotes.
std::string setting_text(const Json& value);

}  // namespace gatewise

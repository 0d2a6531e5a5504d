// What evaluation found, as a table.
#pragma once

#include <string>

#include "base/json.h"
#include "report/style.h"

namespace gatewise {

// `evaluation` as evaluate() gives it: {tasks: {task: {metric: {value, low, high, direction,
// why_undefined?}}}, rows}. One line per task and metric: the value, its 95 % interval and which direction is
// better.
std::string metrics_text(const Json& evaluation, const Style& style = {});

// "0.9472" or "undefined (one class)".
std::string metric_value_text(const Json& metric);

}  // namespace gatewise

// A comparison of configurations for people, and its raw values.
#pragma once

#include <string>

#include "base/json.h"
#include "report/style.h"

namespace gatewise {

// `compared` as compare_results() gives it: a table per task and metric, then what the configurations cost.
std::string comparison_text(const Json& compared, const Style& style);

// Every value behind it, one per line: configuration, seed, part, task, metric, value. What concerns a whole
// run (best_epoch, seconds, rows_per_second, parameters) has neither part nor task.
std::string comparison_csv(const Json& compared);

// "distance from 1, " where differences of the metric (an entry of `compared`) are of that; "" of its values.
std::string differing_in(const Json& metric);

}  // namespace gatewise

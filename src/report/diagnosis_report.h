// The report of a diagnosis.
#pragma once

#include "report/report.h"

namespace gatewise {

// `diagnosis` as "gatewise diagnose --json" prints it (docs/diagnosis.md).
Report diagnosis_report(const Json& diagnosis);

// Adds the figures of a level of experts and gates, an element of `levels`, as a section; `tasks` are those
// of the diagnosis.
void add_level(Report& report, const Json& level, const Json& tasks);

}  // namespace gatewise

// The report of a search for settings.
#pragma once

#include "report/report.h"

namespace gatewise {

// `result` as "gatewise tune --json" prints it (docs/tuning.md).
Report tune_report(const Json& result);

}  // namespace gatewise

// The report of a training run.
#pragma once

#include "report/report.h"

namespace gatewise {

// `result` as "gatewise fit --json" prints it: {model, rows: {train?, validation?, test?}, parameters,
// configuration, history, metrics}.
Report fit_report(const Json& result);

}  // namespace gatewise

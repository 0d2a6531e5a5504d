// A report as one HTML file that needs nothing beside it.
#pragma once

#include <string>

#include "base/json.h"
#include "report/report.h"

namespace gatewise {

// Text and tables are HTML; figures, tables and `result` are also embedded as JSON, under the ids
// "sections" and "result" (docs/reports.md). The page forbids itself every access to a network.
std::string html_page(const Report& report, const Json& result);

// Writes the page whole or not at all. Throws Error(Data) when the file cannot be written.
void write_html_page(const std::string& path, const Report& report, const Json& result);

}  // namespace gatewise

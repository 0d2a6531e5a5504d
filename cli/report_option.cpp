#include "cli/report_option.h"

#include "report/html_page.h"

namespace gatewise {

void ReportOption::write(Report (*make)(const Json& result), const Json& result, Console& console) const {
  if (path_.empty()) return;
  write_html_page(path_, make(result), result);
  console.note("report: " + path_);
}

}  // namespace gatewise

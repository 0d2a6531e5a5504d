#include <nanobind/stl/string.h>

#include "python/src/bindings.h"
#include "python/src/json_caster.h"
#include "report/diagnosis_report.h"
#include "report/diagnosis_text.h"
#include "report/fit_report.h"
#include "report/html_page.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace gatewise {

void bind_reports(nb::module_& module) {
  module.def(
      "fit_page", [](const Json& result) { return html_page(fit_report(result), result); }, "result"_a,
      "The report of a training run as one HTML page that needs nothing beside it.");
  module.def(
      "diagnosis_page", [](const Json& result) { return html_page(diagnosis_report(result), result); },
      "result"_a, "The report of a diagnosis as one HTML page that needs nothing beside it.");
  module.def(
      "diagnosis_text", [](const Json& result) { return diagnosis_text(result, Style(), 100); }, "result"_a,
      "A diagnosis as text.");
}

}  // namespace gatewise

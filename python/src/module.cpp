// gatewise._core: the core as the package's Python files use it.
#include "python/src/bindings.h"

NB_MODULE(_core, module) {
  module.doc() = "The core of Gatewise: frames, models, options and reports.";
  module.attr("__version__") = GATEWISE_VERSION;
  // An interpreter that ends with a traceback still holds what that refers to.
  nanobind::set_leak_warnings(false);
  gatewise::bind_errors(module);
  gatewise::bind_frame(module);
  gatewise::bind_options(module);
  gatewise::bind_reports(module);
  gatewise::bind_model(module);
}

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
  gatewise::bind_definitions(module);
  gatewise::bind_plugins(module);
  nanobind::module_ graph =
      module.def_submodule("graph", "Values, operations and parts that graphs are composed of.");
  gatewise::bind_graph(graph);
  gatewise::bind_operations(graph);
  gatewise::bind_parts(graph);
}

// The parts of the module; each adds its functions and classes.
#pragma once

#include <nanobind/nanobind.h>

namespace gatewise {

// gatewise.Error, a ValueError with the core's text, and what turns the core's errors into it.
void bind_errors(nanobind::module_& module);
void bind_frame(nanobind::module_& module);
void bind_model(nanobind::module_& module);
void bind_options(nanobind::module_& module);
void bind_reports(nanobind::module_& module);
// gatewise.define_gate and define_architecture; load_plugin.
void bind_definitions(nanobind::module_& module);
void bind_plugins(nanobind::module_& module);
// The parts of gatewise.graph, in this order: later ones name types of earlier ones.
void bind_graph(nanobind::module_& module);
void bind_operations(nanobind::module_& module);
void bind_parts(nanobind::module_& module);

}  // namespace gatewise

#include <dlfcn.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "base/error.h"
#include "base/plugin.h"
#include "python/src/bindings.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace gatewise {
namespace {

// Python loads modules so that others do not see their symbols; plug-ins have to see the core's.
void show_symbols() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&show_symbols), &info) == 0 ||
      dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL) == nullptr)
    internal_error("the module does not find its own library");
}

std::vector<std::string> load_parts(const std::string& path) {
  show_symbols();
  return load_plugin(path).parts;
}

}  // namespace

void bind_plugins(nb::module_& module) {
  module.def("load_plugin", &load_parts, "path"_a,
             "Loads a plug-in for the rest of the process; the names of its parts.");
  module.def("plugin_stamp", &plugin_stamp, "The build that plug-ins must be made for.");
}

}  // namespace gatewise

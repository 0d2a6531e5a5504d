#include "base/error.h"
#include "python/src/bindings.h"

namespace nb = nanobind;

namespace gatewise {

void bind_errors(nb::module_& module) {
  const nb::exception<Error> error(module, "Error", PyExc_ValueError);
  error.attr("__doc__") =
      "What Gatewise refuses: options, data or a model. The text says where, what was got, what is expected "
      "and what "
      "to do, word for word as the command line says it.";
}

}  // namespace gatewise

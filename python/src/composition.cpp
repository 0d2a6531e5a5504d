#include "python/src/composition.h"

#include <nanobind/ndarray.h>

#include "base/error.h"

namespace nb = nanobind;

namespace gatewise {

Graph& PythonGraph::get() const {
  if (graph_ == nullptr) {
    command_error(
        "graph: this value belongs to a model that is composed already; use values inside of the function "
        "that "
        "got them");
  }
  return *graph_;
}

std::string PythonVar::text() const {
  if (!graph->is_there()) return "Var(of a model that is composed already)";
  const Node& found = graph->get().node(node);
  const std::string what = found.op ? found.op->name() : "\"" + found.name + "\"";
  static constexpr const char* lives[] = {"per batch", "per row", "per routed row"};
  return fmt::format("Var({}, {}, {})", what, found.signature.shape.text(),
                     lives[static_cast<size_t>(found.signature.domain)]);
}

std::vector<double> numbers_of(nb::handle object, Shape& shape) {
  const nb::object array = nb::module_::import_("numpy").attr("ascontiguousarray")(object, "float64");
  shape = Shape();
  for (const nb::handle size : array.attr("shape")) shape.sizes.push_back(nb::cast<int64_t>(size));
  // ascontiguousarray makes one-dimensional what has no dimension.
  if (nb::hasattr(object, "ndim") ? nb::cast<int>(object.attr("ndim")) == 0 : !nb::hasattr(object, "__len__"))
    shape = Shape();
  const auto values = nb::cast<nb::ndarray<const double, nb::c_contig, nb::device::cpu>>(array);
  return {values.data(), values.data() + values.size()};
}

Var operand(Graph& graph, nb::handle object) {
  PythonVar* var = nullptr;
  if (nb::try_cast(object, var) && var != nullptr) {
    if (&var->graph->get() != &graph)
      command_error("graph: got values of two graphs, expected values of one");
    return var->var();
  }
  Shape shape;
  std::vector<double> numbers = numbers_of(object, shape);
  return graph.constant(std::move(numbers), shape);
}

Var optional_var(const PythonVar* var) { return var == nullptr ? Var() : var->var(); }

std::vector<Var> vars_of(const std::vector<PythonVar>& values) {
  std::vector<Var> vars;
  for (const PythonVar& value : values) vars.push_back(value.var());
  return vars;
}

}  // namespace gatewise

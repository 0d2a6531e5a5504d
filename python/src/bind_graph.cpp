// gatewise.graph: Graph, Var and Initializer.
#include <nanobind/operators.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "base/error.h"
#include "graph/ops.h"
#include "python/src/bindings.h"
#include "python/src/composition.h"
#include "python/src/graph_values.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace gatewise {
namespace {

using GraphPointer = std::shared_ptr<PythonGraph>;

template <Var (*operation)(Var, Var)>
PythonVar with_other(const PythonVar& x, nb::handle other) {
  return x.with(operation(x.var(), operand(x.graph->get(), other)));
}

template <Var (*operation)(Var, Var)>
PythonVar other_with(const PythonVar& x, nb::handle other) {
  return x.with(operation(operand(x.graph->get(), other), x.var()));
}

// The part of an axis that a slice or a place names; `is_place`: the axis disappears.
Var part_of_axis(Var x, int64_t axis, nb::handle index, bool& is_place) {
  const int64_t size = x.shape()[axis];
  is_place = nb::isinstance<nb::int_>(index);
  if (is_place) {
    const auto given = nb::cast<int64_t>(index);
    const int64_t place = given < 0 ? given + size : given;
    if (place < 0 || place >= size)
      throw nb::index_error(fmt::format("Var: got {}, the axis has {} entries", given, size).c_str());
    return slice(x, axis, place, place + 1);
  }
  if (!nb::isinstance<nb::slice>(index))
    throw nb::type_error("Var: expected whole numbers, slices as [1:3] and ... in brackets");
  const auto [begin, end, step, length] = nb::cast<nb::slice>(index).compute(static_cast<size_t>(size));
  if (step != 1 || length == 0)
    throw nb::index_error("Var: expected slices of step 1 with at least one entry");
  return slice(x, axis, begin, static_cast<int64_t>(begin + static_cast<int64_t>(length)));
}

PythonVar get_item(const PythonVar& self, nb::object index) {
  Var x = self.var();
  const nb::tuple items =
      nb::isinstance<nb::tuple>(index) ? nb::cast<nb::tuple>(index) : nb::make_tuple(index);
  const auto given = static_cast<int64_t>(nb::len(items));
  bool has_rest = false;
  for (const nb::handle item : items) has_rest = has_rest || item.is(nb::ellipsis());
  const int64_t named = given - (has_rest ? 1 : 0), rank = x.shape().rank();
  if (named > rank)
    throw nb::index_error(
        fmt::format("Var: got {} places, the shape is {}", named, x.shape().text()).c_str());
  std::vector<int64_t> sizes;
  int64_t axis = 0;
  for (const nb::handle item : items) {
    if (item.is(nb::ellipsis())) {
      for (int64_t rest = rank - named; rest > 0; --rest) sizes.push_back(x.shape()[axis++]);
      continue;
    }
    bool is_place = false;
    x = part_of_axis(x, axis, item, is_place);
    if (!is_place) sizes.push_back(x.shape()[axis]);
    ++axis;
  }
  while (axis < rank) sizes.push_back(x.shape()[axis++]);
  const Shape shape(sizes);
  return self.with(shape == x.shape() ? x : reshape(x, shape));
}

void bind_var(nb::module_& module) {
  nb::class_<PythonVar> var(
      module, "Var",
      "A value of a graph. Its shape is that of one row; the batch is never written. +, -, "
      "*, / take numbers and "
      "NumPy arrays too; x[1:3], x[0] and x[..., 2] take parts.");
  var.def_prop_ro("shape", [](const PythonVar& x) { return nb::tuple(nb::cast(x.var().shape().sizes)); })
      .def_prop_ro("graph", [](const PythonVar& x) { return x.graph; })
      .def_prop_ro(
          "is_static", [](const PythonVar& x) { return x.var().signature().domain == Domain::Static; },
          "Whether it is one value a batch (parameters, penalties) rather than one a row.")
      .def("__repr__", &PythonVar::text)
      .def("__add__", &with_other<add>, "other"_a)
      .def("__radd__", &other_with<add>, "other"_a)
      .def("__sub__", &with_other<subtract>, "other"_a)
      .def("__rsub__", &other_with<subtract>, "other"_a)
      .def("__mul__", &with_other<multiply>, "other"_a)
      .def("__rmul__", &other_with<multiply>, "other"_a)
      .def("__truediv__", &with_other<divide>, "other"_a)
      .def("__rtruediv__", &other_with<divide>, "other"_a)
      .def("__matmul__", &with_other<product>, "other"_a)
      .def("__neg__", [](const PythonVar& x) { return x.with(times(x.var(), -1)); })
      .def("__getitem__", &get_item, "index"_a);
  // NumPy then leaves `array * var` to the Var.
  var.attr("__array_ufunc__") = nb::none();
}

void bind_initializer(nb::module_& module) {
  nb::class_<Initializer>(
      module, "Initializer",
      "How a parameter starts: \"zero\", \"one\", \"constant\", \"glorot_uniform\", \"he_normal\", "
      "\"normal\" or \"uniform\". `scale` is the value, the standard deviation, the half width, or "
      "the gain. Where one is expected a name will do.")
      .def(
          "__init__",
          [](Initializer* self, const std::string& name, double scale) {
            new (self) Initializer(Initializer::named(name, scale));
          },
          "name"_a, "scale"_a = 1.0)
      .def(
          "__init__",
          [](Initializer* self, nb::str name) {
            new (self) Initializer(Initializer::named(name.c_str(), 1));
          },
          "name"_a);
  nb::implicitly_convertible<nb::str, Initializer>();
}

PythonVar made(const GraphPointer& graph, Var var) { return {graph, var}; }

void add_leaves(nb::class_<PythonGraph>& graph) {
  graph
      .def(
          "input",
          [](const GraphPointer& g, const std::string& name, std::vector<int64_t> shape) {
            return made(g, g->get().input(name, Shape(std::move(shape))));
          },
          "name"_a, "shape"_a, "A real value per row, given with every batch.")
      .def(
          "ids", [](const GraphPointer& g, const std::string& name) { return made(g, g->get().ids(name)); },
          "name"_a, "An id per row, given with every batch.")
      .def(
          "parameter",
          [](const GraphPointer& g, const std::string& path, std::vector<int64_t> shape,
             const Initializer& start) {
            return made(g, g->get().parameter(path, Shape(std::move(shape)), start));
          },
          "path"_a, "shape"_a, "initializer"_a = Initializer::named("glorot_uniform", 1),
          "One a batch, learnt.")
      .def(
          "parameter_from",
          [](const GraphPointer& g, const std::string& path, nb::object start) {
            Shape shape;
            std::vector<double> numbers = numbers_of(start, shape);
            return made(g, g->get().parameter_from(path, shape, std::move(numbers)));
          },
          "path"_a, "start"_a, "A parameter that starts from the numbers of an array.");
}

void add_banks(nb::class_<PythonGraph>& graph) {
  graph
      .def(
          "parameter_bank",
          [](const GraphPointer& g, const std::vector<std::string>& paths, std::vector<int64_t> shape,
             const Initializer& start) {
            return made(g, g->get().parameter_bank(paths, Shape(std::move(shape)), start));
          },
          "paths"_a, "shape"_a, "initializer"_a = Initializer::named("glorot_uniform", 1),
          "Parameters of one shape, one per path: shape [paths, ..].")
      .def(
          "parameter_blocks",
          [](const GraphPointer& g, const std::vector<std::string>& paths, std::vector<int64_t> shape,
             const Initializer& start) {
            return made(g, g->get().parameter_blocks(paths, Shape(std::move(shape)), start));
          },
          "paths"_a, "shape"_a, "initializer"_a = Initializer::named("glorot_uniform", 1),
          "Parameters side by side in the last axis, one per path: shape [.., paths * width].")
      .def(
          "table",
          [](const GraphPointer& g, const std::string& path, int64_t rows, int64_t width,
             const Initializer& start) { return made(g, g->get().table(path, rows, width, start)); },
          "path"_a, "rows"_a, "width"_a, "initializer"_a = Initializer::named("normal", 0.1),
          "An embedding table [rows, width].")
      .def(
          "constant",
          [](const GraphPointer& g, nb::object values) { return made(g, operand(g->get(), values)); },
          "values"_a, "Numbers that never change.")
      .def(
          "state",
          [](const GraphPointer& g, const std::string& path, nb::object initial) {
            Shape shape;
            std::vector<double> numbers = numbers_of(initial, shape);
            return made(g, g->get().state(path, shape, std::move(numbers)));
          },
          "path"_a, "initial"_a, "A value per batch that is kept between steps and saved; see update().");
}

void add_roles(nb::class_<PythonGraph>& graph) {
  graph
      .def(
          "update",
          [](PythonGraph& g, const PythonVar& state, const PythonVar& value) {
            g.get().update(state.var(), value.var());
          },
          "state"_a, "value"_a, "After each training step `state` takes this value per batch.")
      .def(
          "add_penalty",
          [](PythonGraph& g, const std::string& name, const PythonVar& penalty) {
            g.get().add_penalty(name, penalty.var());
          },
          "name"_a, "penalty"_a, "Adds one number per batch to the loss, as it is, reported under its name.")
      .def(
          "add_output",
          [](PythonGraph& g, const std::string& name, const PythonVar& value) {
            g.get().add_output(name, value.var());
          },
          "name"_a, "value"_a, "What run() gives under this name.")
      .def(
          "name_value",
          [](PythonGraph& g, const std::string& name, const PythonVar& value) {
            g.get().name_value(name, value.var());
          },
          "name"_a, "value"_a, "Gives a value a name by which it can be watched.")
      .def("run", &run_graph, "inputs"_a, "parameters"_a = nb::dict(), "seed"_a = 1,
           "{output: float32 array [rows, ..]} for {input: array [rows, ..]}. Parameters start from their "
           "initialisers "
           "and the seed; `parameters` sets some by path.")
      .def_prop_ro("outputs",
                   [](const PythonGraph& g) {
                     std::vector<std::string> names;
                     for (const auto& [name, node] : g.get().outputs()) names.push_back(name);
                     return names;
                   })
      .def("__repr__", [](const PythonGraph& g) {
        if (!g.is_there()) return std::string("Graph(of a model that is composed already)");
        const Graph& composed = g.get();
        return fmt::format("Graph({} values, {} outputs)", composed.nodes().size(),
                           composed.outputs().size());
      });
}

}  // namespace

void bind_graph(nb::module_& module) {
  bind_var(module);
  bind_initializer(module);
  nb::class_<PythonGraph> graph(
      module, "Graph",
      "A computation of one row, composed once. A model's own graph is that of the values "
      "which a gate or an architecture is given.");
  graph.def(nb::init<>());
  add_leaves(graph);
  add_banks(graph);
  add_roles(graph);
}

}  // namespace gatewise

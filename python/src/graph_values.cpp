#include "python/src/graph_values.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "engine/scoring_program.h"

namespace nb = nanobind;

namespace gatewise {
namespace {

using FloatArray = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
using IdArray = nb::ndarray<const uint32_t, nb::c_contig, nb::device::cpu>;

nb::object numpy_array(nb::handle values, const char* type) {
  return nb::module_::import_("numpy").attr("ascontiguousarray")(values, type);
}

nb::object new_array(const std::vector<float>& values, const std::vector<int64_t>& sizes) {
  auto* data = new float[std::max<size_t>(1, values.size())];
  std::copy(values.begin(), values.end(), data);
  const nb::capsule owner(data, [](void* pointer) noexcept { delete[] static_cast<float*>(pointer); });
  const std::vector<size_t> shape(sizes.begin(), sizes.end());
  return nb::cast(nb::ndarray<nb::numpy, float>(data, shape.size(), shape.data(), owner));
}

std::string shape_text(const FloatArray& array) {
  Shape shape;
  for (size_t axis = 0; axis < array.ndim(); ++axis)
    shape.sizes.push_back(static_cast<int64_t>(array.shape(axis)));
  return shape.text();
}

bool has_shape(const FloatArray& array, const Shape& shape) {
  if (array.ndim() != shape.sizes.size()) return array.ndim() == 1 && shape.rank() == 0 && array.size() == 1;
  for (size_t axis = 0; axis < array.ndim(); ++axis) {
    if (static_cast<int64_t>(array.shape(axis)) != shape.sizes[axis]) return false;
  }
  return true;
}

int64_t numbers_in_a_row(const FloatArray& array) {
  int64_t numbers = 1;
  for (size_t axis = 1; axis < array.ndim(); ++axis) numbers *= static_cast<int64_t>(array.shape(axis));
  return numbers;
}

// The rows of every input, in the order of the program; `kept` owns them.
struct RowsOfInputs {
  std::vector<ScoringInput> inputs;
  std::vector<FloatArray> values;
  std::vector<IdArray> ids;
  int64_t rows = -1;

  void add(const Node& node, nb::handle given) {
    ScoringInput input;
    int64_t own = 0;
    if (node.leaf == Leaf::Ids) {
      ids.push_back(nb::cast<IdArray>(numpy_array(given, "uint32")));
      if (ids.back().ndim() != 1) command_error("{}: expected one id a row, of shape [rows]", node.name);
      own = static_cast<int64_t>(ids.back().shape(0));
      input.ids.ids = ids.back().data();
    } else {
      values.push_back(nb::cast<FloatArray>(numpy_array(given, "float32")));
      const FloatArray& array = values.back();
      own = array.ndim() == 0 ? 0 : static_cast<int64_t>(array.shape(0));
      const int64_t width = node.signature.shape.elements();
      if (array.ndim() == 0 || numbers_in_a_row(array) != width) {
        command_error("{}: got the shape {}, expected [rows, ..] with {} numbers a row", node.name,
                      shape_text(array), width);
      }
      input.values = {array.data(), width};
    }
    if (rows >= 0 && own != rows)
      command_error("{}: got {} rows, other inputs have {}", node.name, own, rows);
    rows = own;
    inputs.push_back(input);
  }
};

// Ids that are read as `input` by this node name slices of something: how many there are.
int64_t slices_read(const Graph& graph, const Node& node, int input) {
  int64_t slices = std::numeric_limits<int64_t>::max();
  for (int place = 0; place < static_cast<int>(node.inputs.size()); ++place) {
    const Node& read = graph.node(node.inputs[place]);
    const bool is_sliced =
        read.leaf == Leaf::Table || (node.op->ids_of_slices() >= 0 && node.op->defers(place));
    if (node.inputs[place] != input && is_sliced) slices = std::min(slices, read.signature.shape.sizes[0]);
  }
  return slices;
}

void check_ids_of(const Graph& graph, const RowsOfInputs& rows, const std::vector<int>& inputs) {
  size_t next = 0;
  for (const int input : inputs) {
    if (graph.node(input).leaf != Leaf::Ids) continue;
    int64_t limit = std::numeric_limits<int64_t>::max();
    for (const Node& node : graph.nodes()) {
      if (std::find(node.inputs.begin(), node.inputs.end(), input) != node.inputs.end())
        limit = std::min(limit, slices_read(graph, node, input));
    }
    const IdArray& ids = rows.ids[next++];
    for (size_t row = 0; row < ids.size(); ++row) {
      if (ids.data()[row] >= limit)
        command_error("{}: got the id {}, expected ids below {}", graph.node(input).name, ids.data()[row],
                      limit);
    }
  }
}

// A graph may have inputs that no output reads; every other name is a mistake.
void check_names_of(const Graph& graph, const nb::dict& inputs) {
  std::vector<std::string> known;
  for (const Node& node : graph.nodes()) {
    if (node.leaf == Leaf::Input || node.leaf == Leaf::Ids) known.push_back(node.name);
  }
  for (const auto& [key, values] : inputs) {
    const auto name = nb::cast<std::string>(nb::str(key));
    if (std::find(known.begin(), known.end(), name) == known.end())
      command_error("graph: there is no input \"{}\".{}", name, suggestion(name, known));
  }
}

FloatArray numbers_at(const std::string& path, nb::handle values) {
  try {
    return nb::cast<FloatArray>(numpy_array(values, "float32"));
  } catch (const nb::python_error& error) {
    if (!error.matches(PyExc_ValueError) && !error.matches(PyExc_TypeError)) throw;
    command_error("{}: got values of type {}, expected an array of numbers", path,
                  nb::cast<std::string>(nb::str(values.type().attr("__name__"))));
  }
}

}  // namespace

nb::dict run_graph(const PythonGraph& python_graph, const nb::dict& inputs, const nb::dict& parameters,
                   uint64_t seed) {
  const Graph& graph = python_graph.get();
  if (graph.outputs().empty()) command_error("graph: there is no output; name one by add_output()");
  Store<float> store(graph);
  store.initialise(seed);
  set_parameters_of(store, parameters);
  const auto program = std::make_shared<const ScoringProgram>(store);
  check_names_of(graph, inputs);
  RowsOfInputs rows;
  for (const int node : program->inputs()) {
    const std::string& name = graph.node(node).name;
    if (!inputs.contains(name.c_str())) command_error("graph: the input \"{}\" is missing", name);
    rows.add(graph.node(node), inputs[name.c_str()]);
  }
  check_ids_of(graph, rows, program->inputs());
  // Without inputs there is one row.
  const int64_t count = rows.rows < 0 ? 1 : rows.rows;
  ScoringRun run(program);
  if (count > 0) run.forward(count, rows.inputs);
  nb::dict results;
  for (size_t index = 0; index < graph.outputs().size(); ++index) {
    const auto& [name, node] = graph.outputs()[index];
    const Shape& shape = graph.node(node).signature.shape;
    std::vector<float> numbers;
    for (int64_t row = 0; row < count; ++row) {
      const auto value = run.output(index);
      const float* first = value.data + row * value.stride;
      numbers.insert(numbers.end(), first, first + shape.elements());
    }
    std::vector<int64_t> sizes{count};
    sizes.insert(sizes.end(), shape.sizes.begin(), shape.sizes.end());
    results[name.c_str()] = new_array(numbers, sizes);
  }
  return results;
}

nb::dict parameters_of(const Store<float>& store) {
  nb::dict parameters;
  for (const std::string& path : store.paths())
    parameters[path.c_str()] = new_array(store.get(path), store.block(path).shape.sizes);
  return parameters;
}

void set_parameters_of(Store<float>& store, const nb::dict& parameters) {
  const std::vector<std::string> known = store.paths();
  std::vector<std::pair<std::string, FloatArray>> checked;
  for (const auto& [key, values] : parameters) {
    const auto path = nb::cast<std::string>(nb::str(key));
    if (std::find(known.begin(), known.end(), path) == known.end())
      command_error("parameters: there is no \"{}\".{}", path, suggestion(path, known));
    const FloatArray array = numbers_at(path, values);
    const Shape& shape = store.block(path).shape;
    if (!has_shape(array, shape)) {
      command_error("{}: got the shape {}, expected {}{}", path, shape_text(array), shape.text(),
                    shape.rank() == 2 && shape_text(array) == Shape{shape[1], shape[0]}.text()
                        ? "; weights are [in, out] here, the transpose of PyTorch's"
                        : "");
    }
    if (!std::all_of(array.data(), array.data() + array.size(),
                     [](float value) { return std::isfinite(value); }))
      command_error("{}: got values that are not finite", path);
    checked.emplace_back(path, array);
  }
  for (const auto& [path, array] : checked) store.set(path, {array.data(), array.size()});
}

}  // namespace gatewise

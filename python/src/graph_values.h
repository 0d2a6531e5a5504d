// The outputs of a graph that Python has composed, for rows of NumPy; parameters by path.
#pragma once

#include <nanobind/nanobind.h>

#include "engine/store.h"
#include "python/src/composition.h"

namespace gatewise {

// {output: float32 array [rows, ..]}; `inputs` {name: array [rows, ..]}, `parameters` {path: array}.
nanobind::dict run_graph(const PythonGraph& graph, const nanobind::dict& inputs,
                         const nanobind::dict& parameters, uint64_t seed);

// {path: float32 array} of parameters and states, as they are saved; copies.
nanobind::dict parameters_of(const Store<float>& store);
// Sets those of the paths that are given. Throws Error(Command), and changes nothing, for an unknown path
// (with the nearest ones), a shape that does not fit, and values that are not finite.
void set_parameters_of(Store<float>& store, const nanobind::dict& parameters);

}  // namespace gatewise

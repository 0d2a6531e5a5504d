// Gates and architectures that are functions of Python.
#pragma once

#include <nanobind/nanobind.h>

#include <string>

#include "architectures/architecture.h"
#include "architectures/level.h"
#include "base/json.h"
#include "python/src/composition.h"

namespace gatewise {

// What an architecture made in Python is given.
struct PythonModelInputs {
  std::shared_ptr<PythonGraph> graph;
  ModelInputs inputs;
};

// What the parts of the core make for it.
struct PythonHeads {
  std::shared_ptr<PythonGraph> graph;
  Heads heads;
};
struct PythonLevel {
  std::shared_ptr<PythonGraph> graph;
  LevelOutput level;
};

// Register the function under the name, in place of an earlier one of Python's; whether there was one.
// `traits`: {summary, options: see DeclaredOptions, and for gates network, sparse, sums_to_one, active}. The
// function stays referenced for good. Throw Error(Command).
bool define_gate(const std::string& name, nanobind::object function, const Json& traits);
bool define_architecture(const std::string& name, nanobind::object function, const Json& traits);

}  // namespace gatewise

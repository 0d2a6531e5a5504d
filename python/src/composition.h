// Graphs as Python composes them: its own, and those of the core while a function of Python adds to them.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <string>
#include <vector>

#include "gates/gate.h"

namespace gatewise {

// The graph of values in Python. One of the core's is only lent: once the function has returned, its values
// are refused instead of followed into memory that is gone.
class PythonGraph {
 public:
  PythonGraph() : own_(std::make_unique<Graph>()), graph_(own_.get()) {}
  explicit PythonGraph(Graph& lent) : graph_(&lent) {}
  // Throws Error(Command) when a lent graph was taken back.
  Graph& get() const;
  bool is_there() const { return graph_ != nullptr; }
  void take_back() { graph_ = nullptr; }

 private:
  std::unique_ptr<Graph> own_;
  Graph* graph_;
};

// A value of a graph in Python.
struct PythonVar {
  std::shared_ptr<PythonGraph> graph;
  int node = -1;

  PythonVar() = default;
  PythonVar(std::shared_ptr<PythonGraph> of, Var var) : graph(std::move(of)), node(var.node()) {}
  Var var() const { return {&graph->get(), node}; }
  PythonVar with(Var other) const { return {graph, other}; }
  // "Var(add, [2, 4], per row)"; never throws, as a debugger shows values whenever it likes.
  std::string text() const;
};

// Lends a graph for the length of a function's call.
class LentGraph {
 public:
  explicit LentGraph(Graph& graph) : graph_(std::make_shared<PythonGraph>(graph)) {}
  ~LentGraph() { graph_->take_back(); }
  LentGraph(const LentGraph&) = delete;
  LentGraph& operator=(const LentGraph&) = delete;
  const std::shared_ptr<PythonGraph>& graph() const { return graph_; }

 private:
  std::shared_ptr<PythonGraph> graph_;
};

// A Var, a number, or numbers of NumPy as a constant of the graph.
Var operand(Graph& graph, nanobind::handle object);
// Numbers of anything that NumPy makes an array of, row-major, and the array's shape.
std::vector<double> numbers_of(nanobind::handle object, Shape& shape);
// An empty Var for none.
Var optional_var(const PythonVar* var);
std::vector<Var> vars_of(const std::vector<PythonVar>& values);

// What a gate made in Python gets first: the value that it reads, [in] or [consumers, in], and what it needs
// to know to have parameters for every consumer.
struct PythonGateInput : PythonVar {
  GateRequest request;
  const GateNetwork* network = nullptr;  // its options, as long as the gate composes; null: it has none
};

}  // namespace gatewise

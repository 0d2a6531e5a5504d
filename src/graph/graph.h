// The static graph of one model: composed once, then planned, differentiated, executed, saved and exported.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph/op.h"
#include "graph/probe.h"
#include "graph/shape.h"

namespace gatewise {

class Graph;

// A value of a graph. Copies are cheap; a Var is only valid as long as its graph.
class Var {
 public:
  Var() = default;
  Var(Graph* graph, int node) : graph_(graph), node_(node) {}
  Graph& graph() const { return *graph_; }
  int node() const { return node_; }
  bool is_valid() const { return graph_ != nullptr; }
  const Signature& signature() const;
  const Shape& shape() const { return signature().shape; }

 private:
  Graph* graph_ = nullptr;
  int node_ = -1;
};

// How a parameter starts. Weights draw from a stream keyed by seed and path, so layers never share values.
struct Initializer {
  enum class Kind : uint8_t { Zero, One, Constant, GlorotUniform, HeNormal, Normal, Uniform };
  Kind kind = Kind::GlorotUniform;
  double scale = 1;  // standard deviation (Normal), half width (Uniform), value (Constant), gain otherwise
  std::string stream = {};  // paths of one stream start alike; empty: every path has its own

  static Initializer zero() { return {Kind::Zero, 0, {}}; }
  static Initializer one() { return {Kind::One, 1, {}}; }
  static Initializer constant(double value) { return {Kind::Constant, value, {}}; }
  static Initializer normal(double deviation) { return {Kind::Normal, deviation, {}}; }
  static Initializer uniform(double half_width) { return {Kind::Uniform, half_width, {}}; }
  // "glorot_uniform", "he_normal", "normal", "uniform", "zero".
  static Initializer named(const std::string& name, double scale);
  static std::vector<std::string> names();
};

enum class Leaf : uint8_t { None, Input, Ids, Parameter, Table, Constant, Scalar, State };

struct Node {
  int id = 0;
  Leaf leaf = Leaf::None;
  std::shared_ptr<const Op> op;  // null for leaves
  std::vector<int> inputs;
  Signature signature;
  std::string name;                // leaves: the input's name or the parameter's path
  std::vector<std::string> paths;  // of parameters, tables and states
  bool is_bank = false;            // one path per slice of the first axis
  bool slices_last_axis = false;   // one path per block of the last axis
  Initializer initializer;
  bool is_trainable = true;
  std::vector<double> constant;  // Constant, initial State, Parameter that starts from given numbers
};

struct LossTerm {
  std::string name;  // the task
  int node = -1;     // per row, scalar
};
struct Penalty {
  std::string name;
  int node = -1;  // Static scalar, added to the loss as it is
};
struct StateUpdate {
  int state = -1;
  int value = -1;
};

class Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // A real value per row, given with every batch.
  Var input(const std::string& name, Shape shape);
  // Ids per row (one or a bag), given with every batch.
  Var ids(const std::string& name);
  Var parameter(const std::string& path, Shape shape, Initializer initializer);
  // With these numbers to start from, row-major.
  Var parameter_from(const std::string& path, Shape shape, std::vector<double> start);
  // A bank: shape [paths.size(), ...]; slice i is saved and initialised under paths[i].
  Var parameter_bank(const std::vector<std::string>& paths, Shape shape, Initializer initializer);
  // Blocks side by side: shape [.., paths.size() * width]; block i of the last axis is saved under paths[i].
  Var parameter_blocks(const std::vector<std::string>& paths, Shape shape, Initializer initializer);
  // An embedding table [rows, width].
  Var table(const std::string& path, int64_t rows, int64_t width, Initializer initializer);
  Var constant(std::vector<double> values, Shape shape);
  // A Static scalar given with every batch (temperatures, schedules).
  Var scalar(const std::string& name);
  // A Static value kept between steps; see update().
  Var state(const std::string& path, Shape shape, double initial);
  Var state(const std::string& path, Shape shape, std::vector<double> initial);

  Var apply(std::shared_ptr<const Op> op, const std::vector<Var>& inputs);

  // The row loss of one task, a scalar per row.
  void add_loss(const std::string& task, Var row_loss);
  void add_penalty(const std::string& name, Var penalty);
  // Throws Error(Data) for a name that another output has.
  void add_output(const std::string& name, Var value);
  // After each training step `state` takes the value of `value` (Static, same shape).
  void update(Var state, Var value);
  // Gives a value a name by which it can be watched.
  void name_value(const std::string& name, Var value);
  // Declares a level of experts and gates for whoever examines the model, and names the weights of its gates
  // by their paths. Throws Error(Internal) when it does not fit the values it names.
  void add_probe(LevelProbe probe);

  const std::vector<Node>& nodes() const { return nodes_; }
  const Node& node(int id) const { return nodes_[id]; }
  const std::vector<LossTerm>& losses() const { return losses_; }
  const std::vector<Penalty>& penalties() const { return penalties_; }
  const std::vector<std::pair<std::string, int>>& outputs() const { return outputs_; }
  const std::vector<StateUpdate>& updates() const { return updates_; }
  const std::map<std::string, int>& named_values() const { return named_; }
  const std::vector<LevelProbe>& probes() const { return probes_; }
  // The node of an output or named value. Throws with the nearest names.
  int find(const std::string& name) const;
  // Lets all slices of a parameter start from the same numbers, those of `stream`.
  void start_alike(int node, const std::string& stream) { nodes_[node].initializer.stream = stream; }
  void set_trainable(int node, bool is_trainable) { nodes_[node].is_trainable = is_trainable; }

  // Operations, shapes, paths, losses and outputs; enough to run the model without the code that composed it.
  Json to_json() const;
  static std::unique_ptr<Graph> from_json(const Json& json);

  // A copy in which everything that reads one of these values (by node) reads what its function makes of it
  // instead; a function gets the copy's value and must keep its shape.
  using Replacement = std::function<Var(Var)>;
  std::unique_ptr<Graph> with_replaced(const std::map<int, Replacement>& replacements) const;

 private:
  Var add(Node node);
  // A leaf that is given with every batch.
  Var add_given(Leaf leaf, const std::string& name, Signature signature);
  void refuse_duplicate(const std::string& path, const char* kind);

  std::vector<Node> nodes_;
  std::vector<LossTerm> losses_;
  std::vector<Penalty> penalties_;
  std::vector<std::pair<std::string, int>> outputs_;
  std::vector<StateUpdate> updates_;
  std::map<std::string, int> named_;
  std::vector<LevelProbe> probes_;
  std::map<std::string, int> paths_;
};

}  // namespace gatewise

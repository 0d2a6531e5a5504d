#include "graph/graph.h"

#include "base/error.h"

namespace gatewise {

std::string Shape::text() const { return fmt::format("[{}]", fmt::join(sizes, ", ")); }

const Signature& Var::signature() const {
  if (graph_ == nullptr) internal_error("an empty value was used");
  return graph_->node(node_).signature;
}

Initializer Initializer::named(const std::string& name, double scale) {
  const std::vector<std::string> known = names();
  for (size_t i = 0; i < known.size(); ++i) {
    if (known[i] == name) return {static_cast<Kind>(i), scale};
  }
  command_error("unknown initializer \"{}\".{}", name, suggestion(name, known));
}

std::vector<std::string> Initializer::names() {
  return {"zero", "one", "constant", "glorot_uniform", "he_normal", "normal", "uniform"};
}

Var Graph::add(Node node) {
  node.id = static_cast<int>(nodes_.size());
  nodes_.push_back(std::move(node));
  return Var(this, nodes_.back().id);
}

void Graph::refuse_duplicate(const std::string& path, const char* kind) {
  if (path.empty()) internal_error("a {} has no name", kind);
  if (!paths_.emplace(path, static_cast<int>(nodes_.size())).second) {
    internal_error("the graph already has a {} \"{}\"", kind, path);
  }
}

Var Graph::add_given(Leaf leaf, const std::string& name, Signature signature) {
  Node node;
  node.leaf = leaf;
  node.signature = std::move(signature);
  node.name = name;
  return add(std::move(node));
}

Var Graph::input(const std::string& name, Shape shape) {
  refuse_duplicate("inputs/" + name, "input");
  return add_given(Leaf::Input, name, {std::move(shape), Domain::Row, -1});
}

Var Graph::ids(const std::string& name) {
  refuse_duplicate("inputs/" + name, "input");
  return add_given(Leaf::Ids, name, {Shape{}, Domain::Row, -1});
}

Var Graph::parameter(const std::string& path, Shape shape, Initializer initializer) {
  refuse_duplicate(path, "parameter");
  Node node;
  node.leaf = Leaf::Parameter;
  node.signature = {std::move(shape), Domain::Static, -1};
  node.name = path;
  node.paths = {path};
  node.initializer = std::move(initializer);
  return add(std::move(node));
}

Var Graph::parameter_from(const std::string& path, Shape shape, std::vector<double> start) {
  if (static_cast<int64_t>(start.size()) != shape.elements())
    internal_error("the start of \"{}\" does not fill its shape", path);
  const Var var = parameter(path, std::move(shape), Initializer::zero());
  nodes_[var.node()].constant = std::move(start);
  return var;
}

Var Graph::parameter_bank(const std::vector<std::string>& paths, Shape shape, Initializer initializer) {
  if (shape.rank() < 1 || shape[0] != static_cast<int64_t>(paths.size())) {
    internal_error("a bank of {} paths has shape {}", paths.size(), shape.text());
  }
  for (const std::string& path : paths) refuse_duplicate(path, "parameter");
  Node node;
  node.leaf = Leaf::Parameter;
  node.signature = {std::move(shape), Domain::Static, -1};
  node.name = paths.front();
  node.paths = paths;
  node.is_bank = true;
  node.initializer = std::move(initializer);
  return add(std::move(node));
}

Var Graph::parameter_blocks(const std::vector<std::string>& paths, Shape shape, Initializer initializer) {
  const int64_t blocks = static_cast<int64_t>(paths.size());
  if (blocks == 0 || shape.rank() < 1 || shape.last() % blocks != 0) {
    internal_error("{} blocks do not fit shape {}", blocks, shape.text());
  }
  for (const std::string& path : paths) refuse_duplicate(path, "parameter");
  Node node;
  node.leaf = Leaf::Parameter;
  node.signature = {std::move(shape), Domain::Static, -1};
  node.name = paths.front();
  node.paths = paths;
  node.slices_last_axis = blocks > 1;
  node.initializer = std::move(initializer);
  return add(std::move(node));
}

Var Graph::table(const std::string& path, int64_t rows, int64_t width, Initializer initializer) {
  refuse_duplicate(path, "embedding table");
  Node node;
  node.leaf = Leaf::Table;
  node.signature = {Shape{rows, width}, Domain::Static, -1};
  node.name = path;
  node.paths = {path};
  node.initializer = std::move(initializer);
  return add(std::move(node));
}

Var Graph::constant(std::vector<double> values, Shape shape) {
  if (static_cast<int64_t>(values.size()) != shape.elements())
    internal_error("a constant does not fill its shape");
  Node node;
  node.leaf = Leaf::Constant;
  node.signature = {std::move(shape), Domain::Static, -1};
  node.constant = std::move(values);
  return add(std::move(node));
}

Var Graph::scalar(const std::string& name) {
  refuse_duplicate("scalars/" + name, "scalar");
  return add_given(Leaf::Scalar, name, {Shape{}, Domain::Static, -1});
}

Var Graph::state(const std::string& path, Shape shape, double initial) {
  std::vector<double> values(shape.elements(), initial);
  return state(path, std::move(shape), std::move(values));
}

Var Graph::state(const std::string& path, Shape shape, std::vector<double> initial) {
  refuse_duplicate(path, "state");
  if (static_cast<int64_t>(initial.size()) != shape.elements())
    internal_error("a state does not fill its shape");
  Node node;
  node.leaf = Leaf::State;
  node.constant = std::move(initial);
  node.signature = {std::move(shape), Domain::Static, -1};
  node.name = path;
  node.paths = {path};
  return add(std::move(node));
}

namespace {

// Ids and routes are no numbers: which operations read them, and as which input.
struct Slot {
  std::string_view op;
  int input;
};
constexpr Slot id_slots[] = {{"embedding", 0}, {"own_rows", 1}};  // others: Op::ids_of_slices()
constexpr Slot route_slots[] = {{"gather", 1}, {"branch_rows", 1}, {"combine", 2}};

bool is_slot(std::span<const Slot> slots, const std::string& op, int input) {
  return std::any_of(slots.begin(), slots.end(),
                     [&](const Slot& slot) { return slot.op == op && slot.input == input; });
}

void check_operand(const Op& op, int input, const Node& operand) {
  const bool takes_ids = is_slot(id_slots, op.name(), input) || op.ids_of_slices() == input;
  if (takes_ids != (operand.leaf == Leaf::Ids)) {
    command_error("{}: input {} is {}, expected {}", op.name(), input, takes_ids ? "no ids" : "ids",
                  takes_ids ? "ids" : "numbers");
  }
  const bool is_route = operand.op != nullptr && operand.op->name() == "route";
  const bool takes_route = is_slot(route_slots, op.name(), input);
  if (takes_route != is_route) {
    command_error("{}: input {} is {}, expected {}", op.name(), input, is_route ? "a route" : "no route",
                  is_route ? "numbers" : "a route");
  }
}

// A branch of the route has a block of the weight.
void check_branches(const Op& op, std::span<const Signature> inputs, const Signature& output,
                    const std::vector<Node>& nodes) {
  if (output.domain != Domain::Routed || inputs.size() < 2 || !op.owns_branch(1) || !op.reads_matrix(1))
    return;
  const Shape& weight = inputs[1].shape;
  const int64_t blocks = weight.rank() > 2 ? weight[0] : op.column_blocks();
  const int64_t branches = nodes[output.route].signature.shape.elements();
  if (blocks != branches)
    command_error("{}: the weight {} has {} blocks, expected one for each of {} branches", op.name(),
                  weight.text(), blocks, branches);
}

}  // namespace

Var Graph::apply(std::shared_ptr<const Op> op, const std::vector<Var>& inputs) {
  Node node;
  std::vector<Signature> signatures;
  for (const Var& input : inputs) {
    if (!input.is_valid()) internal_error("{}: an input is empty", op->name());
    if (&input.graph() != this) internal_error("{}: an input belongs to another graph", op->name());
    check_operand(*op, static_cast<int>(node.inputs.size()), nodes_[input.node()]);
    node.inputs.push_back(input.node());
    signatures.push_back(input.signature());
  }
  node.signature = op->infer(signatures);
  check_branches(*op, signatures, node.signature, nodes_);
  if (op->name() == "route") node.signature.route = static_cast<int>(nodes_.size());
  node.op = std::move(op);
  return add(std::move(node));
}

void Graph::add_loss(const std::string& task, Var row_loss) {
  if (row_loss.signature().domain != Domain::Row || row_loss.shape().elements() != 1) {
    internal_error("the loss of \"{}\" must be one number per row, got shape {}", task,
                   row_loss.shape().text());
  }
  losses_.push_back({task, row_loss.node()});
}

void Graph::add_penalty(const std::string& name, Var penalty) {
  if (penalty.signature().domain != Domain::Static || penalty.shape().elements() != 1) {
    internal_error("the penalty \"{}\" must be one number per batch", name);
  }
  penalties_.push_back({name, penalty.node()});
}

void Graph::add_output(const std::string& name, Var value) {
  for (const auto& [other, node] : outputs_) {
    if (other == name) data_error("graph: there are two outputs \"{}\"; give each its own name", name);
  }
  outputs_.emplace_back(name, value.node());
  name_value(name, value);
}

void Graph::update(Var state, Var value) {
  if (node(state.node()).leaf != Leaf::State || !(state.signature() == value.signature())) {
    internal_error("a state update needs a state and a value of the same shape");
  }
  updates_.push_back({state.node(), value.node()});
}

void Graph::name_value(const std::string& name, Var value) { named_[name] = value.node(); }

void Graph::add_probe(LevelProbe probe) {
  const auto shape_of = [&](int id) -> const Shape& {
    if (id < 0 || id >= static_cast<int>(nodes_.size()))
      internal_error("the probe of \"{}\" names value {}, which does not exist", probe.name, id);
    return nodes_[id].signature.shape;
  };
  const auto experts = static_cast<int64_t>(probe.experts.size());
  if (shape_of(probe.outputs).outer() != experts)
    internal_error("the probe of \"{}\" has {} experts, its value shape {}", probe.name, experts,
                   shape_of(probe.outputs).text());
  for (const GateProbe& gate : probe.gates) {
    const auto seen = static_cast<int64_t>(gate.sees.size());
    const bool fits = shape_of(gate.weights).elements() == seen && shape_of(gate.mixed).last() == seen &&
                      gate.row >= 0 && gate.row < shape_of(gate.mixed).outer();
    const bool sees_experts = std::all_of(gate.sees.begin(), gate.sees.end(),
                                          [&](int expert) { return expert >= 0 && expert < experts; });
    if (!fits || !sees_experts)
      internal_error("the probe of \"{}\" does not fit its {} experts", gate.path, seen);
    named_.try_emplace(gate.path, gate.weights);
  }
  probes_.push_back(std::move(probe));
}

std::unique_ptr<Graph> Graph::with_replaced(const std::map<int, Replacement>& replacements) const {
  auto copy = std::make_unique<Graph>();
  std::vector<int> made;  // by node: what reads it reads in the copy
  for (const Node& node : nodes_) {
    Var value;
    if (node.op) {
      std::vector<Var> inputs;
      for (const int input : node.inputs) inputs.emplace_back(copy.get(), made[input]);
      value = copy->apply(node.op, inputs);
    } else {
      value = copy->add(node);
    }
    const auto found = replacements.find(node.id);
    if (found != replacements.end()) {
      const Shape shape = value.shape();
      value = found->second(value);
      if (!(value.shape() == shape))
        internal_error("a value of shape {} was replaced by one of {}", shape.text(), value.shape().text());
    }
    made.push_back(value.node());
  }
  for (const LossTerm& loss : losses_) copy->losses_.push_back({loss.name, made[loss.node]});
  for (const Penalty& penalty : penalties_) copy->penalties_.push_back({penalty.name, made[penalty.node]});
  for (const auto& [name, node] : outputs_) copy->outputs_.emplace_back(name, made[node]);
  for (const StateUpdate& update : updates_)
    copy->updates_.push_back({made[update.state], made[update.value]});
  for (const auto& [name, node] : named_) copy->named_[name] = made[node];
  for (LevelProbe level : probes_) {
    level.outputs = made[level.outputs];
    for (GateProbe& gate : level.gates) {
      gate.weights = made[gate.weights];
      gate.mixed = made[gate.mixed];
    }
    copy->probes_.push_back(std::move(level));
  }
  return copy;
}

int Graph::find(const std::string& name) const {
  const auto found = named_.find(name);
  if (found != named_.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [key, node] : named_) known.push_back(key);
  command_error("the model has no value \"{}\".{}", name, suggestion(name, known));
}

std::string Op::lower(const LoweringCall& /*call*/) const {
  internal_error("{}: only training runs this operation, so it is never written for another runtime", name());
}

Signature joined(const std::string& op, std::span<const Signature> inputs) {
  Signature result;
  result.domain = Domain::Static;
  for (const Signature& input : inputs) {
    if (input.domain == Domain::Routed) {
      if (result.domain == Domain::Routed && result.route != input.route) {
        command_error("{}: the inputs belong to two different routes", op);
      }
      result.domain = Domain::Routed;
      result.route = input.route;
    } else if (input.domain == Domain::Row) {
      if (result.domain == Domain::Static) result.domain = Domain::Row;
    }
  }
  for (const Signature& input : inputs) {
    if (result.domain == Domain::Routed && input.domain == Domain::Row) {
      command_error("{}: a row value meets a routed value; gather it first", op);
    }
  }
  return result;
}

OpRegistry& OpRegistry::instance() {
  static OpRegistry registry;
  return registry;
}

void OpRegistry::add(const std::string& name, OpFactory factory) {
  if (!factories_.emplace(name, std::move(factory)).second)
    internal_error("operation \"{}\" is registered twice", name);
}

std::shared_ptr<const Op> OpRegistry::make(const std::string& name, const Json& attributes) const {
  const auto found = factories_.find(name);
  if (found == factories_.end()) {
    data_error("graph: unknown operation \"{}\"; the model may come from a newer version", name);
  }
  return found->second(attributes);
}

std::vector<std::string> OpRegistry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, factory] : factories_) names.push_back(name);
  return names;
}

}  // namespace gatewise

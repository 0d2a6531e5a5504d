// The graph as JSON, which is what a saved model runs from.
#include "base/error.h"
#include "graph/graph.h"

namespace gatewise {
namespace {

constexpr const char* leaf_names[] = {"operation", "input",    "ids",    "parameter",
                                      "table",     "constant", "scalar", "state"};

Leaf leaf_named(const std::string& name) {
  for (size_t i = 0; i < std::size(leaf_names); ++i) {
    if (name == leaf_names[i]) return static_cast<Leaf>(i);
  }
  data_error("graph: unknown kind of value \"{}\"; the model may come from a newer version", name);
}

// Limits of a description: the largest models compute some hundred thousand numbers a row, and a leaf's size
// is held against the file that has its values.
constexpr int64_t most_elements = int64_t{1} << 40;
constexpr int64_t most_computed = int64_t{1} << 24;

int64_t elements_of(const Node& node) {
  int64_t elements = 1;
  for (const int64_t size : node.signature.shape.sizes) {
    if (size < 1 || __builtin_mul_overflow(elements, size, &elements) || elements > most_elements) {
      data_error("graph: {} \"{}\" has shape {}, expected sizes of at least 1 and at most {} numbers",
                 leaf_names[static_cast<size_t>(node.leaf)], node.op ? node.op->name() : node.name,
                 node.signature.shape.text(), most_elements);
    }
  }
  return elements;
}

void check_leaf(const Node& node) {
  const int64_t elements = elements_of(node);
  const Shape& shape = node.signature.shape;
  const auto paths = static_cast<int64_t>(node.paths.size());
  const auto values = static_cast<int64_t>(node.constant.size());
  const bool has_paths = node.leaf == Leaf::Parameter || node.leaf == Leaf::Table || node.leaf == Leaf::State;
  bool fits = has_paths ? paths >= 1 : paths == 0;
  if (node.is_bank) {
    fits = fits && !node.slices_last_axis && shape.rank() >= 1 && shape[0] == paths;
  } else if (node.slices_last_axis) {
    fits = fits && paths >= 1 && shape.rank() >= 1 && shape.last() % paths == 0;
  } else {
    fits = fits && paths == (has_paths ? 1 : 0);
  }
  if (node.leaf != Leaf::Parameter) fits = fits && !node.is_bank && !node.slices_last_axis;
  if (node.leaf == Leaf::Ids || node.leaf == Leaf::Scalar) fits = fits && shape.rank() == 0;
  if (node.leaf == Leaf::Table) fits = fits && shape.rank() == 2;
  if (node.leaf == Leaf::State) fits = fits && node.paths[0] == node.name;
  const bool has_values = node.leaf == Leaf::Constant || node.leaf == Leaf::State;
  const bool is_filled = has_values ? values == elements : values == 0 || values == elements;
  if (fits && is_filled) return;
  data_error("graph: the {} \"{}\" of shape {} does not fit its {} paths and {} values; take a whole copy",
             leaf_names[static_cast<size_t>(node.leaf)], node.name, shape.text(), paths, values);
}

Var value_at(Graph& graph, const Json& index) {
  const int64_t node = index.is_number_integer() ? index.get<int64_t>() : -1;
  if (!index.is_number_integer())
    data_error("graph: got {} that names a value, expected its number", index.type_name());
  if (node < 0 || node >= static_cast<int64_t>(graph.nodes().size()))
    data_error("graph: value {} does not exist; expected a number below {}", index.dump(),
               graph.nodes().size());
  return Var(&graph, static_cast<int>(node));
}

Var numbers_at(Graph& graph, const Json& index) {
  const Var value = value_at(graph, index);
  const Node& node = graph.node(value.node());
  const bool is_route = node.op != nullptr && node.op->name() == "route";
  if (node.leaf == Leaf::Ids || is_route || node.signature.domain == Domain::Routed)
    data_error("graph: value {} is no number of a row or a batch, so it is no output and no loss", node.id);
  return value;
}

void read_operation(Graph& graph, const Json& item) {
  std::vector<Var> inputs;
  for (const Json& input : item.at("inputs")) inputs.push_back(value_at(graph, input));
  const std::string name = item.at("op").get<std::string>();
  const Var made =
      graph.apply(OpRegistry::instance().make(name, item.value("attributes", Json::object())), inputs);
  if (made.shape().sizes != item.at("shape").get<std::vector<int64_t>>()) {
    data_error("graph: operation \"{}\" gives shape {}, saved as {}", name, made.shape().text(),
               item.at("shape").dump());
  }
}

Node leaf_of(const Json& item, Leaf leaf) {
  Node node;
  node.leaf = leaf;
  node.name = item.value("name", "");
  const bool is_row = leaf == Leaf::Input || leaf == Leaf::Ids;
  node.signature = {Shape(item.at("shape").get<std::vector<int64_t>>()),
                    is_row ? Domain::Row : Domain::Static, -1};
  node.paths = item.value("paths", std::vector<std::string>{});
  node.constant = item.value("values", std::vector<double>{});
  node.is_trainable = item.value("trainable", true);
  node.is_bank = item.value("bank", false);
  node.slices_last_axis = item.value("side_by_side", false);
  if (item.contains("initializer")) {
    node.initializer =
        Initializer::named(item.at("initializer").get<std::string>(), item.value("scale", 1.0));
    node.initializer.stream = item.value("stream", "");
  }
  check_leaf(node);
  return node;
}

void read_uses(Graph& graph, const Json& json) {
  for (const Json& item : json.at("losses"))
    graph.add_loss(item.at("task").get<std::string>(), numbers_at(graph, item.at("node")));
  for (const Json& item : json.at("penalties"))
    graph.add_penalty(item.at("name").get<std::string>(), numbers_at(graph, item.at("node")));
  for (const Json& item : json.at("outputs"))
    graph.add_output(item.at("name").get<std::string>(), numbers_at(graph, item.at("node")));
  for (const Json& item : json.at("updates"))
    graph.update(value_at(graph, item.at("state")), value_at(graph, item.at("value")));
  for (const auto& [name, node] : json.at("values").items()) graph.name_value(name, value_at(graph, node));
  for (const auto& [name, node] : graph.outputs()) {
    if (graph.named_values().at(name) != node)
      data_error("graph: there is another output or value named \"{}\"; take a whole copy", name);
  }
  for (const Json& item : json.value("probes", Json::array())) graph.add_probe(LevelProbe::from_json(item));
}

Json node_to_json(const Node& node) {
  Json json;
  json["kind"] = leaf_names[static_cast<size_t>(node.leaf)];
  json["shape"] = node.signature.shape.sizes;
  if (!node.name.empty()) json["name"] = node.name;
  if (node.op) {
    json["op"] = node.op->name();
    const Json attributes = node.op->attributes();
    if (!attributes.empty()) json["attributes"] = attributes;
    json["inputs"] = node.inputs;
  }
  if (node.leaf == Leaf::Parameter || node.leaf == Leaf::Table || node.leaf == Leaf::State)
    json["paths"] = node.paths;
  if (node.leaf == Leaf::Parameter || node.leaf == Leaf::Table) {
    json["initializer"] = Initializer::names()[static_cast<size_t>(node.initializer.kind)];
    json["scale"] = node.initializer.scale;
    if (!node.initializer.stream.empty()) json["stream"] = node.initializer.stream;
    if (node.is_bank) json["bank"] = true;
    if (node.slices_last_axis) json["side_by_side"] = true;
    if (!node.is_trainable) json["trainable"] = false;
  }
  if (!node.constant.empty()) json["values"] = node.constant;
  return json;
}

}  // namespace

Json Graph::to_json() const {
  Json json;
  json["nodes"] = Json::array();
  for (const Node& node : nodes_) json["nodes"].push_back(node_to_json(node));
  json["losses"] = Json::array();
  for (const LossTerm& loss : losses_) json["losses"].push_back({{"task", loss.name}, {"node", loss.node}});
  json["penalties"] = Json::array();
  for (const Penalty& penalty : penalties_) {
    json["penalties"].push_back({{"name", penalty.name}, {"node", penalty.node}});
  }
  json["outputs"] = Json::array();
  for (const auto& [name, node] : outputs_) json["outputs"].push_back({{"name", name}, {"node", node}});
  json["updates"] = Json::array();
  for (const StateUpdate& update : updates_) {
    json["updates"].push_back({{"state", update.state}, {"value", update.value}});
  }
  json["values"] = Json::object();
  for (const auto& [name, node] : named_) json["values"][name] = node;
  // Models of before there were probes keep their bytes.
  for (const LevelProbe& probe : probes_) json["probes"].push_back(probe.to_json());
  return json;
}

std::unique_ptr<Graph> Graph::from_json(const Json& json) {
  auto graph = std::make_unique<Graph>();
  const auto add_leaf = [&](Node node) {
    if (node.leaf == Leaf::Input || node.leaf == Leaf::Ids)
      graph->refuse_duplicate("inputs/" + node.name, "input");
    if (node.leaf == Leaf::Scalar) graph->refuse_duplicate("scalars/" + node.name, "scalar");
    for (const std::string& path : node.paths) graph->refuse_duplicate(path, "parameter");
    graph->add(std::move(node));
  };
  try {
    int64_t computed = 0;
    for (const Json& item : json.at("nodes")) {
      const Leaf leaf = leaf_named(item.at("kind").get<std::string>());
      if (leaf != Leaf::None) {
        add_leaf(leaf_of(item, leaf));
        continue;
      }
      read_operation(*graph, item);
      computed += elements_of(graph->nodes_.back());
      if (computed > most_computed)
        data_error("graph: a row takes too many numbers to compute, more than {}; make the model smaller",
                   most_computed);
    }
    if (graph->nodes_.empty()) data_error("graph: it has no values; take a whole copy");
    read_uses(*graph, json);
  } catch (const nlohmann::json::exception& error) {
    data_error("graph: the description is damaged, at node {} or behind the last ({}); take a whole copy",
               graph->nodes_.size(), error.what());
  } catch (const Error& error) {
    // What would be a defect of code that composes a graph is here the fault of the file.
    if (error.fault() == Fault::Internal) data_error("graph: {}", error.what());
    throw;
  }
  return graph;
}

}  // namespace gatewise

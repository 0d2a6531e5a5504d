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
  const auto var = [&](const Json& index) {
    const int node = index.get<int>();
    if (node < 0 || node >= static_cast<int>(graph->nodes_.size()))
      data_error("graph: value {} does not exist", node);
    return Var(graph.get(), node);
  };
  try {
    for (const Json& item : json.at("nodes")) {
      Node node;
      node.leaf = leaf_named(item.at("kind").get<std::string>());
      node.name = item.value("name", "");
      if (node.leaf == Leaf::None) {
        std::vector<Var> inputs;
        for (const Json& input : item.at("inputs")) inputs.push_back(var(input));
        const std::string op = item.at("op").get<std::string>();
        const Var made =
            graph->apply(OpRegistry::instance().make(op, item.value("attributes", Json::object())), inputs);
        if (made.shape().sizes != item.at("shape").get<std::vector<int64_t>>()) {
          data_error("graph: operation \"{}\" gives shape {}, saved as {}", op, made.shape().text(),
                     item.at("shape").dump());
        }
        continue;
      }
      const bool is_row = node.leaf == Leaf::Input || node.leaf == Leaf::Ids;
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
      graph->add(std::move(node));
    }
    for (const Json& item : json.at("losses"))
      graph->add_loss(item.at("task").get<std::string>(), var(item.at("node")));
    for (const Json& item : json.at("penalties")) {
      graph->add_penalty(item.at("name").get<std::string>(), var(item.at("node")));
    }
    for (const Json& item : json.at("outputs")) {
      graph->outputs_.emplace_back(item.at("name").get<std::string>(), var(item.at("node")).node());
    }
    for (const Json& item : json.at("updates")) graph->update(var(item.at("state")), var(item.at("value")));
    for (const auto& [name, node] : json.at("values").items()) graph->name_value(name, var(node));
    for (const Json& item : json.value("probes", Json::array()))
      graph->add_probe(LevelProbe::from_json(item));
  } catch (const nlohmann::json::exception& error) {
    data_error("graph: the description is damaged ({})", error.what());
  }
  return graph;
}

}  // namespace gatewise

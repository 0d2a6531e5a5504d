#include "model_file/model_fit.h"

#include <algorithm>

#include "base/error.h"

namespace gatewise {
namespace {

constexpr const char* take_both = "take graph and encoder from one model";

// What scoring computes, by node.
std::vector<bool> nodes_of_outputs(const Graph& graph) {
  std::vector<bool> is_needed(graph.nodes().size(), false);
  for (const auto& [name, node] : graph.outputs()) is_needed[node] = true;
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    for (size_t i = 0; is_needed[node->id] && i < node->inputs.size(); ++i) {
      if (node->op->uses_input(static_cast<int>(i), false)) is_needed[node->inputs[i]] = true;
    }
  }
  return is_needed;
}

// How many ids an input may have: rows of the smallest table, or slices, that its readers take by it.
int64_t id_limit(const Graph& graph, int ids) {
  int64_t limit = std::numeric_limits<int64_t>::max();
  for (const Node& reader : graph.nodes()) {
    for (size_t at = 0; at < reader.inputs.size(); ++at) {
      if (reader.inputs[at] != ids) continue;
      // A look-up has its table behind the ids, other operations what they take slices of before them.
      const int operand = reader.inputs[at == 0 ? 1 : at - 1];
      limit = std::min(limit, graph.node(operand).signature.shape[0]);
    }
  }
  return limit;
}

template <class Feature>
const Feature* feature_named(const std::vector<Feature>& features, const std::string& name) {
  const auto found = std::find_if(features.begin(), features.end(),
                                  [&](const Feature& feature) { return feature.name == name; });
  return found == features.end() ? nullptr : &*found;
}

// How many ids the encoder gives for an input; nothing where it has no such column.
std::optional<int64_t> ids_given(const FeatureSpace& space, const std::string& input) {
  if (input == "row_task" && !space.task_column.empty()) return static_cast<int64_t>(space.tasks.size());
  if (input.starts_with("ids/")) {
    if (const IdFeature* feature = feature_named(space.ids, input.substr(4)))
      return space.tables.at(feature->table).rows;
  }
  if (input.starts_with("bags/")) {
    if (const BagFeature* feature = feature_named(space.bags, input.substr(5)))
      return space.tables.at(feature->table).rows;
  }
  return std::nullopt;
}

void require_input(const Graph& graph, const Node& node, const FeatureSpace& space) {
  const bool is_ids = node.leaf == Leaf::Ids;
  std::optional<int64_t> given;
  if (is_ids) {
    given = ids_given(space, node.name);
  } else if (node.name == "numeric") {
    given = space.numeric_width();
  }
  if (!given) data_error("the outputs read \"{}\", which encoded rows do not have; {}", node.name, take_both);
  const int64_t read = is_ids ? id_limit(graph, node.id) : node.signature.shape.elements();
  if (is_ids ? *given <= read : *given == read) return;
  data_error("input \"{}\": the encoder gives {} {}, the graph reads {}; {}", node.name, *given,
             is_ids ? "ids" : "numbers a row", read, take_both);
}

void require_output(const Graph& graph, const std::string& name, const TaskSpace& task) {
  const auto& outputs = graph.outputs();
  const auto found =
      std::find_if(outputs.begin(), outputs.end(), [&](const auto& item) { return item.first == name; });
  if (found == outputs.end()) data_error("the graph has no output \"{}\"; {}", name, take_both);
  const int64_t width = graph.node(found->second).signature.shape.elements();
  const int64_t expected = task.kind == "multiclass" ? task.classes : 1;
  if (width == expected) return;
  data_error("output \"{}\" of a {} task has {} numbers, expected {}; {}", name, task.kind, width, expected,
             take_both);
}

}  // namespace

void require_model_fit(const Graph& graph, const FeatureSpace& space) {
  const std::vector<bool> is_needed = nodes_of_outputs(graph);
  for (const Node& node : graph.nodes()) {
    if (is_needed[node.id] && (node.leaf == Leaf::Input || node.leaf == Leaf::Ids))
      require_input(graph, node, space);
  }
  if (space.has_own_labels()) return require_output(graph, own_output, space.tasks.front());
  for (const TaskSpace& task : space.tasks) require_output(graph, task.name, task);
}

}  // namespace gatewise

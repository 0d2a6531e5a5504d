#include "scoring/input_bindings.h"

#include <algorithm>

#include "base/error.h"

namespace gatewise {

InputBindings::InputBindings(const Graph& graph, std::span<const int> inputs, const FeatureSpace* space) {
  for (const int node : inputs) add(graph, graph.node(node), space);
}

void InputBindings::add(const Graph& graph, const Node& node, const FeatureSpace* space) {
  Binding& binding = bindings_.emplace_back();
  binding.name = node.name;
  binding.has_ids = node.leaf == Leaf::Ids;
  has_ids_ = has_ids_ || binding.has_ids;
  for (const Node& reader : graph.nodes()) {
    const auto at = std::find(reader.inputs.begin(), reader.inputs.end(), node.id) - reader.inputs.begin();
    if (node.leaf != Leaf::Ids || at == static_cast<int64_t>(reader.inputs.size())) continue;
    // Ids name rows of the table behind them, or slices of the operand before them.
    const int64_t count = graph.node(reader.inputs[at == 0 ? 1 : at - 1]).signature.shape[0];
    binding.limit = binding.limit == 0 ? count : std::min(binding.limit, count);
  }
  if (space == nullptr) return;
  const auto name_of = [&](const std::string& prefix) {
    return node.name.starts_with(prefix) ? node.name.substr(prefix.size()) : "";
  };
  if (node.name == "numeric") binding.kind = Kind::Numeric;
  if (node.name == "row_task") {
    binding.kind = Kind::Task;
    binding.limit = static_cast<int64_t>(space->tasks.size());
    task_input_ = static_cast<int>(bindings_.size()) - 1;
  }
  for (const IdFeature& feature : space->ids) {
    if (feature.name == name_of("ids/"))
      binding = {Kind::Id, true, feature.column, space->tables[feature.table].rows, node.name};
  }
  for (const BagFeature& feature : space->bags) {
    if (feature.name == name_of("bags/"))
      binding = {Kind::Bag, true, feature.bag, space->tables[feature.table].rows, node.name};
  }
}

namespace {

// No rows have no place.
template <class T>
const T* place_in(const std::vector<T>& values, int64_t index) {
  return values.empty() ? nullptr : values.data() + index;
}

}  // namespace

void InputBindings::bind(const EncodedData& data, int64_t first, std::vector<ScoringInput>& inputs) const {
  inputs.resize(bindings_.size());
  for (size_t i = 0; i < bindings_.size(); ++i) {
    const int64_t index = bindings_[i].index;
    switch (bindings_[i].kind) {
      case Kind::Numeric:
        inputs[i].values = {place_in(data.numeric, first * data.numeric_width), data.numeric_width};
        break;
      case Kind::Id:
        inputs[i].ids = {place_in(data.ids, first * data.id_columns + index), data.id_columns, nullptr,
                         nullptr};
        break;
      case Kind::Bag: {
        const EncodedBag& bag = data.bags[index];
        inputs[i].ids = {bag.ids.data(), 1, place_in(bag.offsets, first),
                         bag.weights.empty() ? nullptr : bag.weights.data()};
        break;
      }
      case Kind::Task:
        inputs[i].ids = {place_in(data.row_task, first), 1, nullptr, nullptr};
        break;
      case Kind::Given:
        break;
      case Kind::Unknown:
        data_error("scoring: encoded rows have no \"{}\", which the model reads", bindings_[i].name);
    }
  }
}

void InputBindings::check_ids(int64_t rows, std::span<const ScoringInput> inputs) const {
  for (size_t i = 0; has_ids_ && i < bindings_.size(); ++i) {
    if (!bindings_[i].has_ids) continue;
    const Ids& ids = inputs[i].ids;
    if (ids.offsets != nullptr &&
        (ids.offsets[0] < 0 || !std::is_sorted(ids.offsets, ids.offsets + rows + 1)))
      data_error("scoring: \"{}\": the offsets of lists do not ascend", bindings_[i].name);
    const int64_t begin = ids.offsets == nullptr ? 0 : ids.offsets[0];
    const int64_t end = ids.offsets == nullptr ? rows : ids.offsets[rows];
    const int64_t stride = ids.offsets == nullptr ? ids.stride : 1;
    for (int64_t at = begin; at < end; ++at) {
      const int64_t id = ids.ids[at * stride];
      if (id < bindings_[i].limit) continue;
      data_error("scoring: \"{}\": got the id {}, expected one below {}", bindings_[i].name, id,
                 bindings_[i].limit);
    }
  }
}

}  // namespace gatewise

#include "scoring/predictor.h"

#include <algorithm>

#include "base/error.h"

namespace gatewise {

Predictor::Predictor(const Graph& graph, const Store<float>& store, const FeatureSpace* space)
    : program_(std::make_shared<const ScoringProgram>(store)) {
  for (const int node : program_->inputs()) add_binding(graph, graph.node(node), space);
  add_columns(graph, space);
}

void Predictor::add_binding(const Graph& graph, const Node& node, const FeatureSpace* space) {
  Binding& binding = bindings_.emplace_back();
  has_ids_ = has_ids_ || node.leaf == Leaf::Ids;
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
  if (node.name == "numeric") binding.kind = Binding::Kind::Numeric;
  if (node.name == "row_task") {
    binding.kind = Binding::Kind::Task;
    binding.limit = static_cast<int64_t>(space->tasks.size());
    if (space->has_own_labels()) own_task_input_ = static_cast<int>(bindings_.size()) - 1;
  }
  for (const IdFeature& feature : space->ids) {
    if (feature.name == name_of("ids/"))
      binding = {Binding::Kind::Id, feature.column, space->tables[feature.table].rows};
  }
  for (const BagFeature& feature : space->bags) {
    if (feature.name == name_of("bags/"))
      binding = {Binding::Kind::Bag, feature.bag, space->tables[feature.table].rows};
  }
}

void Predictor::add_columns(const Graph& graph, const FeatureSpace* space) {
  const auto add = [&](PredictionColumns column, const std::string& output) {
    const auto& outputs = graph.outputs();
    const auto found = std::find_if(outputs.begin(), outputs.end(),
                                    [&](const auto& known) { return known.first == output; });
    if (found == outputs.end()) data_error("scoring: the model has no output \"{}\"", output);
    column.output = static_cast<size_t>(found - outputs.begin());
    column.offset = width_;
    column.width = graph.node(found->second).signature.shape.elements();
    width_ += column.width;
    columns_.push_back(std::move(column));
  };
  if (space == nullptr) {
    for (const auto& [name, node] : graph.outputs()) add({.name = name}, name);
    scalings_.assign(columns_.size(), nullptr);
    return;
  }
  for (const TaskSpace& task : space->tasks) kept_scalings_.push_back(task.scaling);
  for (size_t i = 0; i < space->tasks.size(); ++i) {
    const TaskSpace& task = space->tasks[i];
    scalings_.push_back(task.kind == "regression" ? &kept_scalings_[i] : nullptr);
    if (space->has_own_labels()) {
      if (i == 0) add({.name = own_output, .kind = task.kind, .class_names = task.class_names}, own_output);
    } else {
      add({.name = task.name, .kind = task.kind, .class_names = task.class_names}, task.name);
    }
  }
}

void Predictor::bind(const EncodedData& data, int64_t first, std::vector<ScoringInput>& inputs) const {
  inputs.resize(bindings_.size());
  for (size_t i = 0; i < bindings_.size(); ++i) {
    const int64_t index = bindings_[i].index;
    switch (bindings_[i].kind) {
      case Binding::Kind::Numeric:
        inputs[i].values = {data.numeric.data() + first * data.numeric_width, data.numeric_width};
        break;
      case Binding::Kind::Id:
        inputs[i].ids = {data.ids.data() + first * data.id_columns + index, data.id_columns, nullptr,
                         nullptr};
        break;
      case Binding::Kind::Bag: {
        const EncodedBag& bag = data.bags[index];
        inputs[i].ids = {bag.ids.data(), 1, bag.offsets.data() + first,
                         bag.weights.empty() ? nullptr : bag.weights.data()};
        break;
      }
      case Binding::Kind::Task:
        inputs[i].ids = {data.row_task.data() + first, 1, nullptr, nullptr};
        break;
      case Binding::Kind::Unknown:
        data_error("scoring: encoded rows have no \"{}\", which the model reads",
                   program_->graph().node(program_->inputs()[i]).name);
    }
  }
}

void Predictor::check_ids(int64_t rows, std::span<const ScoringInput> inputs) const {
  for (size_t i = 0; has_ids_ && i < bindings_.size(); ++i) {
    const Node& node = program_->graph().node(program_->inputs()[i]);
    if (node.leaf != Leaf::Ids) continue;
    const Ids& ids = inputs[i].ids;
    if (ids.offsets != nullptr &&
        (ids.offsets[0] < 0 || !std::is_sorted(ids.offsets, ids.offsets + rows + 1)))
      data_error("scoring: \"{}\": the offsets of lists do not ascend", node.name);
    const int64_t begin = ids.offsets == nullptr ? 0 : ids.offsets[0];
    const int64_t end = ids.offsets == nullptr ? rows : ids.offsets[rows];
    const int64_t stride = ids.offsets == nullptr ? ids.stride : 1;
    for (int64_t at = begin; at < end; ++at) {
      const int64_t id = ids.ids[at * stride];
      if (id < bindings_[i].limit) continue;
      data_error("scoring: \"{}\": got the id {}, expected one below {}", node.name, id, bindings_[i].limit);
    }
  }
}

PredictionRun::PredictionRun(std::shared_ptr<const Predictor> predictor)
    : predictor_(std::move(predictor)), run_(predictor_->program()) {}

void PredictionRun::predict(int64_t rows, std::span<const ScoringInput> inputs, float* predictions) {
  run_.forward(rows, inputs);
  const Predictor& of = *predictor_;
  const Ids* tasks = of.own_task_input_ < 0 ? nullptr : &inputs[of.own_task_input_].ids;
  for (size_t column = 0; column < of.columns_.size(); ++column) {
    const PredictionColumns& columns = of.columns_[column];
    const ConstRows<float> values = run_.output(columns.output);
    for (int64_t row = 0; row < rows; ++row) {
      const float* from = values.data + row * values.stride;
      float* to = predictions + row * of.width_ + columns.offset;
      const Scaling* scaling =
          of.scalings_[tasks == nullptr ? column : static_cast<size_t>(tasks->ids[row * tasks->stride])];
      for (int64_t i = 0; i < columns.width; ++i)
        to[i] = scaling == nullptr ? from[i] : static_cast<float>(scaling->invert(from[i]));
    }
  }
}

void PredictionRun::predict(const EncodedData& data, int64_t first, int64_t rows, float* predictions) {
  predictor_->bind(data, first, inputs_);
  predict(rows, inputs_, predictions);
}

}  // namespace gatewise

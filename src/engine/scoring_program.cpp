#include "engine/scoring_program.h"

#include "base/error.h"
#include "engine/phases.h"
#include "engine/planner.h"

namespace gatewise {
namespace {

PlanOptions scoring_options(std::vector<int> watched) {
  PlanOptions options;
  options.is_training = false;
  options.watched = std::move(watched);
  return options;
}

}  // namespace

StoredGraph::StoredGraph(const Store<float>& store)
    : graph(&store.graph()), layout(&store.layout()), states(store.states().data()) {
  for (const ParameterPlace& place : layout->places) parameters.push_back(store.at(place));
}

ScoringProgram::ScoringProgram(const Store<float>& store, std::vector<int> watched)
    : ScoringProgram(StoredGraph(store), std::move(watched)) {}

ScoringProgram::ScoringProgram(StoredGraph stored, std::vector<int> watched)
    : stored_(std::move(stored)),
      plan_(*stored_.graph, *stored_.layout, scoring_options(std::move(watched))),
      packed_(graph().nodes().size()),
      input_of_node_(graph().nodes().size(), -1),
      statics_(plan_.static_size) {
  for (const Node& node : graph().nodes()) {
    std::vector<Signature> shapes;
    for (const int input : node.inputs) shapes.push_back(graph().node(input).signature);
    input_shapes_.push_back(std::move(shapes));
    if (!plan_.is_needed[node.id] || (node.leaf != Leaf::Input && node.leaf != Leaf::Ids)) continue;
    input_of_node_[node.id] = static_cast<int>(inputs_.size());
    inputs_.push_back(node.id);
  }
  check();
  compute_statics();
  pack();
  for (const Pass& pass : plan_.passes) group(pass);
}

void ScoringProgram::check() const {
  for (const Node& node : graph().nodes()) {
    if (!plan_.is_needed[node.id]) continue;
    if (node.leaf == Leaf::Scalar)
      data_error("scoring: the outputs depend on \"{}\", which only a training run gives", node.name);
    if (is_reduction(node) && !is_route(node)) {
      data_error("scoring: the outputs depend on the other rows of a batch, by operation {} \"{}\"", node.id,
                 node.op->name());
    }
  }
}

Rows<float> ScoringProgram::static_rows(const Node& node, bool is_matrix) const {
  const Place& place = plan_.places[node.id];
  // Operands have one type, whoever writes to them; nothing writes to these.
  if (place.storage == Storage::Static) {
    return {const_cast<float*>(statics_.data()) + place.offset, is_matrix ? node.signature.shape.last() : 0};
  }
  if (place.storage == Storage::Parameter) {
    return {const_cast<float*>(parameter(place.root)),
            is_matrix ? plan_.layout->places[place.root].row_stride : 0};
  }
  return {};
}

// Constants, states, and what follows from them and from parameters alone.
void ScoringProgram::compute_statics() {
  for (const Node& node : graph().nodes()) {
    if (!plan_.is_needed[node.id] || plan_.places[node.id].storage != Storage::Static) continue;
    float* to = statics_.data() + plan_.places[node.id].offset;
    if (node.leaf == Leaf::Constant) {
      std::transform(node.constant.begin(), node.constant.end(), to,
                     [](double value) { return static_cast<float>(value); });
    } else if (node.leaf == Leaf::State) {
      std::copy_n(stored_.states + plan_.layout->state_of_node[node.id], node.signature.shape.elements(), to);
    } else if (node.op && !is_route(node)) {
      std::vector<ConstRows<float>> operands;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        operands.push_back(
            static_rows(graph().node(node.inputs[i]), node.op->reads_matrix(static_cast<int>(i))));
      }
      Aligned<float> auxiliary(node.op->auxiliary_width(input_shapes_[node.id]));
      const Run run;
      Call<float> call;
      call.rows = 1;
      call.run = &run;
      call.shapes = input_shapes_[node.id];
      call.shape = &node.signature;
      call.stream = static_cast<uint64_t>(node.id);
      call.inputs = operands;
      call.output = {to, 0};
      call.auxiliary = {auxiliary.data(), auxiliary.size()};
      node.op->forward(call);
    }
  }
}

// Every matrix, also those that training computes with as they lie: they are read far more often than packed.
void ScoringProgram::pack() {
  for (const Node& node : graph().nodes()) {
    if (!plan_.is_needed[node.id] || node.op == nullptr || node.signature.domain == Domain::Static) continue;
    if (node.inputs.size() < 2 || !node.op->reads_matrix(1)) continue;
    const Node& matrix = graph().node(node.inputs[1]);
    if (matrix.leaf == Leaf::Table) continue;
    const Rows<float> rows = static_rows(matrix, true);
    if (rows.data == nullptr) continue;
    const Shape& shape = matrix.signature.shape;
    const int64_t blocks = node.op->column_blocks();
    const int64_t in = shape[-2], out = shape.last() / blocks;
    const float* data = rows.data;
    packed_[node.id].resize(shape.elements() / (in * shape.last()) * blocks);
    for (kernels::Packed<float>& panels : packed_[node.id]) {
      panels.pack(in, out, data, rows.stride);
      data += blocks > 1 ? out : in * rows.stride;
    }
  }
}

// Small enough to have twice, once for batches and once for single rows. What is larger has to come from
// beyond the second cache anyway.
bool ScoringProgram::is_row_product(const Node& node) const {
  constexpr int64_t most_elements = 128 * 1024;
  if (!node.op->block_product(input_shapes_[node.id])) return false;
  const Shape& shape = input_shapes_[node.id][1].shape;
  if (shape.elements() > most_elements || !kernels::is_row_factor(shape[-2], shape.last())) return false;
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (static_rows(graph().node(node.inputs[i]), true).data == nullptr) return false;
  }
  return true;
}

// Products of the same numbers become one, in the place of the first.
void ScoringProgram::group(const Pass& pass) {
  std::vector<RowUnit>& units = row_units_.emplace_back();
  std::map<int, size_t> unit_of_input;
  for (const Step& step : pass.steps) {
    const Node& node = graph().node(step.node);
    if (step.kind != StepKind::Forward || is_route(node)) continue;
    const bool is_product = pass.route < 0 && is_row_product(node);
    const auto found = is_product ? unit_of_input.find(node.inputs[0]) : unit_of_input.end();
    if (found != unit_of_input.end()) {
      units[found->second].nodes.push_back(node.id);
      continue;
    }
    if (is_product) unit_of_input[node.inputs[0]] = units.size();
    units.push_back({{node.id}, std::nullopt});
  }
  for (const auto& [input, unit] : unit_of_input) units[unit].product.emplace(row_product(units[unit].nodes));
}

kernels::RowProduct ScoringProgram::row_product(const std::vector<int>& nodes) const {
  std::vector<kernels::RowFactor> factors;
  for (size_t output = 0; output < nodes.size(); ++output) {
    const Node& node = graph().node(nodes[output]);
    const BlockProduct product = *node.op->block_product(input_shapes_[node.id]);
    const Shape& shape = input_shapes_[node.id][1].shape;
    const Rows<float> weight = static_rows(graph().node(node.inputs[1]), true);
    const float* bias =
        node.inputs.size() == 3 ? static_rows(graph().node(node.inputs[2]), false).data : nullptr;
    const int64_t in = shape[-2], out = shape.last(), matrices = shape.elements() / (in * out);
    for (int64_t block = 0; block < product.blocks; ++block) {
      const int64_t matrix = block % matrices;
      factors.push_back({.depth = in,
                         .columns = out,
                         .b = weight.data + matrix * in * weight.stride,
                         .b_stride = weight.stride,
                         .bias = bias == nullptr ? nullptr : bias + matrix * out,
                         .has_relu = product.has_relu,
                         .x_offset = block * in,
                         .output = static_cast<int>(output),
                         .output_offset = block * out});
    }
  }
  // Those that read the same part of the row stand together.
  std::stable_sort(factors.begin(), factors.end(),
                   [](const kernels::RowFactor& a, const kernels::RowFactor& b) {
                     return std::pair(a.x_offset, a.depth) < std::pair(b.x_offset, b.depth);
                   });
  return kernels::RowProduct(factors);
}

}  // namespace gatewise

#include "engine/scoring_program.h"

#include <limits>

#include "base/error.h"
#include "engine/phases.h"
#include "engine/planner.h"
#include "engine/routing.h"

namespace gatewise {
namespace {

PlanOptions scoring_options(std::vector<int> watched) {
  PlanOptions options;
  options.is_training = false;
  options.watched = std::move(watched);
  return options;
}

}  // namespace

ScoringProgram::ScoringProgram(const Store<float>& store, std::vector<int> watched)
    : store_(store),
      plan_(store.graph(), store.layout(), scoring_options(std::move(watched))),
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

// Constants, states, and what follows from them and from parameters alone.
void ScoringProgram::compute_statics() {
  for (const Node& node : graph().nodes()) {
    if (!plan_.is_needed[node.id] || plan_.places[node.id].storage != Storage::Static) continue;
    float* to = statics_.data() + plan_.places[node.id].offset;
    if (node.leaf == Leaf::Constant) {
      std::transform(node.constant.begin(), node.constant.end(), to,
                     [](double value) { return static_cast<float>(value); });
    } else if (node.leaf == Leaf::State) {
      std::copy_n(store_.states().data() + plan_.layout->state_of_node[node.id],
                  node.signature.shape.elements(), to);
    } else if (node.op && !is_route(node)) {
      std::vector<ConstRows<float>> operands;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const Node& source = graph().node(node.inputs[i]);
        const bool is_matrix = node.op->reads_matrix(static_cast<int>(i));
        const Place& place = plan_.places[source.id];
        if (place.storage == Storage::Parameter) {
          operands.emplace_back(parameter(place.root),
                                is_matrix ? plan_.layout->places[place.root].row_stride : 0);
        } else if (place.storage == Storage::Static) {
          operands.emplace_back(statics_.data() + place.offset,
                                is_matrix ? source.signature.shape.last() : 0);
        } else {
          operands.emplace_back();
        }
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
    const Place& place = plan_.places[matrix.id];
    const bool is_parameter = place.storage == Storage::Parameter;
    if (!is_parameter && place.storage != Storage::Static) continue;
    const Shape& shape = matrix.signature.shape;
    const int64_t blocks = node.op->column_blocks();
    const int64_t in = shape[-2], out = shape.last() / blocks;
    const int64_t stride = is_parameter ? plan_.layout->places[place.root].row_stride : out * blocks;
    const float* data = is_parameter ? parameter(place.root) : statics_.data() + place.offset;
    packed_[node.id].resize(shape.elements() / (in * shape.last()) * blocks);
    for (kernels::Packed<float>& panels : packed_[node.id]) {
      panels.pack(in, out, data, stride);
      data += blocks > 1 ? out : in * stride;
    }
  }
}

ScoringRun::ScoringRun(std::shared_ptr<const ScoringProgram> program)
    : program_(std::move(program)),
      plan_(program_->plan_),
      tile_(plan_.tile_bytes(1)),
      values_(plan_.roots.size()),
      routes_(plan_.is_needed.size()) {
  // Calls keep the addresses of their operands: none of them may move later.
  size_t operands = 0;
  for (const Node& node : program_->graph().nodes()) {
    operands += node.inputs.size();
    if (plan_.is_needed[node.id] && is_route(node)) routes_[node.id] = std::make_unique<Route>();
  }
  operands_.reserve(operands * plan_.passes.size());
  ids_.reserve(operands * plan_.passes.size());
  passes_.reserve(plan_.passes.size());
  for (const Pass& pass : plan_.passes) prepare(pass);
}

void ScoringRun::prepare(const Pass& pass) {
  PreparedPass& prepared = passes_.emplace_back();
  prepared.pass = &pass;
  for (const Step& step : pass.steps) {
    const Node& node = program_->graph().node(step.node);
    if (step.kind != StepKind::Forward || is_route(node)) continue;
    Call<float>& call = prepared.calls.emplace_back(PreparedCall{node.op.get(), {}}).call;
    call.run = &run_;
    call.shapes = program_->input_shapes_[node.id];
    call.shape = &node.signature;
    call.stream = static_cast<uint64_t>(node.id);
    call.packed = program_->packed_[node.id];
    call.inputs = {operands_.data() + operands_.size(), node.inputs.size()};
    for (size_t i = 0; i < node.inputs.size(); ++i) prepare_operand(prepared, node, i);
    if (node.signature.domain == Domain::Routed) call.route = routes_[node.signature.route].get();
    prepare_output(prepared, node);
    const int64_t auxiliary = pass.auxiliary_offset.empty() ? -1 : pass.auxiliary_offset[node.id];
    if (auxiliary >= 0) {
      call.auxiliary = {tile_.data() + auxiliary * plan_.tile_rows,
                        (node.op->auxiliary_width(program_->input_shapes_[node.id]) + 15) / 16 * 16};
    }
  }
}

void ScoringRun::prepare_operand(PreparedPass& prepared, const Node& node, size_t input) {
  const Node& source = program_->graph().node(node.inputs[input]);
  const Place& place = plan_.places[source.id];
  const int index = static_cast<int>(input), call = static_cast<int>(prepared.calls.size()) - 1;
  const int operand = static_cast<int>(operands_.size());
  operands_.emplace_back();
  if (!node.op->uses_input(index, false)) return;
  if (is_route(source)) prepared.calls.back().call.route = routes_[source.id].get();
  const Domain of_tile = prepared.pass->route < 0 ? Domain::Row : Domain::Routed;
  const bool is_local = source.signature.domain == of_tile;
  if (source.leaf == Leaf::Ids) {
    prepared.moving.push_back({Moving::Kind::Ids, true, program_->input_of_node_[source.id],
                               static_cast<int>(ids_.size()), call, 0});
    prepared.calls.back().call.ids = &ids_.emplace_back();
  } else if (place.storage == Storage::External) {
    prepared.moving.push_back(
        {Moving::Kind::Values, is_local, program_->input_of_node_[source.id], operand, call, 0});
  } else if (place.storage == Storage::Batch) {
    prepared.moving.push_back({Moving::Kind::Batch, is_local, place.root, operand, call, place.offset});
    operands_.back().stride = plan_.roots[place.root].stride;
  } else {
    operands_.back() = resting(*prepared.pass, source, node.op->reads_matrix(index));
  }
}

void ScoringRun::prepare_output(PreparedPass& prepared, const Node& node) {
  Rows<float>& output = prepared.calls.back().call.output;
  const Place& place = plan_.places[node.id];
  if (place.storage == Storage::Batch) {
    prepared.moving.push_back({Moving::Kind::Batch, true, place.root, -1,
                               static_cast<int>(prepared.calls.size()) - 1, place.offset});
    output.stride = plan_.roots[place.root].stride;
  } else {
    output = resting(*prepared.pass, node, false);
  }
}

Rows<float> ScoringRun::resting(const Pass& pass, const Node& node, bool is_matrix) {
  const Place& place = plan_.places[node.id];
  switch (place.storage) {
    case Storage::Tile:
      return {tile_.data() + pass.value_offset[place.root] * plan_.tile_rows + place.offset,
              plan_.roots[place.root].stride};
    case Storage::Static:
      return {const_cast<float*>(program_->statics_.data()) + place.offset,
              is_matrix ? node.signature.shape.last() : 0};
    case Storage::Parameter:
      return {const_cast<float*>(program_->parameter(place.root)),
              is_matrix ? plan_.layout->places[place.root].row_stride : 0};
    default:
      return {};
  }
}

void ScoringRun::make_buffers() {
  for (size_t i = 0; i < plan_.roots.size(); ++i) {
    const Root& root = plan_.roots[i];
    if (!root.is_batch) continue;
    const int64_t rows =
        root.route < 0 ? run_.batch_rows : static_cast<int64_t>(routes_[root.route]->rows.size());
    if (values_[i].size() < rows * root.stride) values_[i].resize(rows * root.stride);
  }
}

void ScoringRun::forward(int64_t rows, std::span<const ScoringInput> inputs) {
  if (inputs.size() != program_->inputs_.size())
    internal_error("scoring: got {} inputs, expected {}", inputs.size(), program_->inputs_.size());
  batch_ = inputs;
  run_.batch_rows = rows;
  make_buffers();
  for (const Stage& stage : plan_.stages) {
    if (stage.kind == Stage::Kind::Pass) run_pass(passes_[stage.pass]);
    if (stage.kind != Stage::Kind::FinishReductions) continue;
    for (const int node : plan_.passes[stage.pass].reductions) build_route(program_->graph().node(node));
  }
}

void ScoringRun::build_route(const Node& node) {
  gatewise::build_route(value(node.inputs[0]), run_.batch_rows,
                        program_->input_shapes_[node.id][0].shape.elements(),
                        std::numeric_limits<int64_t>::max(), *routes_[node.id]);
  make_buffers();
}

void ScoringRun::run_pass(PreparedPass& prepared) {
  const int64_t most = plan_.tile_rows;
  if (prepared.pass->route < 0) {
    for (int64_t first = 0; first < run_.batch_rows; first += most)
      run_tile(prepared, first, std::min(most, run_.batch_rows - first), 0);
    return;
  }
  const Route& route = *routes_[prepared.pass->route];
  for (int64_t branch = 0; branch < route.branches; ++branch) {
    const int64_t end = route.first[branch + 1];
    for (int64_t first = route.first[branch]; first < end; first += most)
      run_tile(prepared, first, std::min(most, end - first), branch);
  }
}

void ScoringRun::run_tile(PreparedPass& prepared, int64_t first_row, int64_t rows, int64_t branch) {
  for (const Moving& moving : prepared.moving) {
    const int64_t first = moving.is_local ? first_row : 0;
    if (moving.kind == Moving::Kind::Values) {
      const ConstRows<float>& values = batch_[moving.source].values;
      operands_[moving.operand] = {values.data + first * values.stride, values.stride};
    } else if (moving.kind == Moving::Kind::Ids) {
      Ids& ids = ids_[moving.operand] = batch_[moving.source].ids;
      if (ids.offsets != nullptr) {
        ids.offsets += first;
      } else {
        ids.ids += first * ids.stride;
      }
    } else {
      float* data = values_[moving.source].data() + first * plan_.roots[moving.source].stride + moving.offset;
      if (moving.operand < 0) {
        prepared.calls[moving.call].call.output.data = data;
      } else {
        operands_[moving.operand].data = data;
      }
    }
  }
  for (PreparedCall& prepared_call : prepared.calls) {
    Call<float>& call = prepared_call.call;
    call.rows = rows;
    call.first_row = first_row;
    call.branch = branch;
    prepared_call.op->forward(call);
  }
}

ConstRows<float> ScoringRun::value(int node) const {
  const Place& place = plan_.places[node];
  switch (place.storage) {
    case Storage::Batch:
      return {values_[place.root].data() + place.offset, plan_.roots[place.root].stride};
    case Storage::Static:
      return {program_->statics_.data() + place.offset, 0};
    case Storage::Parameter:
      return {program_->parameter(place.root), 0};
    case Storage::External:
      return batch_[program_->input_of_node_[node]].values;
    default:
      internal_error("value {} is not kept for the whole batch; add it to the watched values", node);
  }
}

}  // namespace gatewise

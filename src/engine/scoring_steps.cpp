#include "engine/scoring_steps.h"

#include <limits>
#include <set>

#include "base/error.h"
#include "engine/phases.h"
#include "engine/planner.h"
#include "engine/routing.h"

namespace gatewise {

ScoringSteps::ScoringSteps(const ScoringProgram& program, bool is_one_row)
    : program_(program),
      plan_(program.plan_),
      is_one_row_(is_one_row),
      place_of_root_(plan_.roots.size(), -1),
      place_of_auxiliary_(plan_.is_needed.size(), 0),
      values_(plan_.roots.size()),
      routes_(plan_.is_needed.size()) {
  run_.batch_rows = -1;  // no batch has been
  for (const auto& [name, node] : program_.graph().outputs())
    gives_inputs_ = gives_inputs_ || plan_.places[node].storage == Storage::External;
  // Calls keep the addresses of their operands: none of them may move later.
  size_t operands = 0;
  for (const Node& node : program_.graph().nodes()) {
    operands += node.inputs.size();
    if (plan_.is_needed[node.id] && is_route(node)) routes_[node.id] = std::make_unique<Route>();
  }
  const size_t passes = plan_.passes.size();
  operands_.reserve(operands * passes);
  ids_.reserve(operands * passes);
  product_outputs_.reserve(plan_.is_needed.size() * passes);
  calls_.reserve(plan_.is_needed.size() * passes);
  passes_.reserve(passes);
  place_values();
  for (size_t pass = 0; pass < passes; ++pass) prepare(pass);
  if (is_one_row_ && passes == 1) collect_lines();
}

// A row that comes after other work finds neither code nor data in the caches, and would wait for one line
// after the other. Steps and their functions are small and known, so they are called for all at once.
// (Weights are read in order, which the processor foresees.)
void ScoringSteps::collect_lines() {
  constexpr int64_t line = 64, function_bytes = 2048;
  std::set<const char*> lines;
  const auto add = [&](const void* from, int64_t bytes) {
    const auto first = reinterpret_cast<uintptr_t>(from) / line,
               end = (reinterpret_cast<uintptr_t>(from) + bytes - 1) / line;
    for (uintptr_t at = first; at <= end; ++at) lines.insert(reinterpret_cast<const char*>(at * line));
  };
  const std::vector<kernels::RowStep>& steps = passes_[0].steps;
  add(steps.data(), static_cast<int64_t>(steps.size() * sizeof(kernels::RowStep)));
  add(memory_.data(), std::min<int64_t>(memory_.bytes(), 4096));
  add(product_outputs_.data(), static_cast<int64_t>(product_outputs_.size() * sizeof(float*)) + 1);
  for (const kernels::RowStep& step : steps) {
    add(reinterpret_cast<const void*>(step.run), function_bytes);
  }
  for (const ScoringProgram::RowUnit& unit : program_.row_units_[0]) {
    if (!unit.product) continue;
    add(unit.product->panels().data(),
        static_cast<int64_t>(unit.product->panels().size() * sizeof(kernels::RowProduct::Panel)));
    add(unit.product->parts().data(),
        static_cast<int64_t>(unit.product->parts().size() * sizeof(kernels::RowProduct::Part)));
  }
  lines_.assign(lines.begin(), lines.end());
}

void ScoringSteps::call_ahead() const {
  for (const char* line : lines_) __builtin_prefetch(line);
}

// A single row has a place for every value, so that no operation has to wait for memory of another.
void ScoringSteps::place_values() {
  if (!is_one_row_) return memory_.resize(plan_.tile_bytes(1));
  int64_t size = 0;
  for (size_t root = 0; root < plan_.roots.size(); ++root) {
    if (plan_.roots[root].route >= 0 && plan_.roots[root].is_batch)
      continue;  // as many rows as chosen branches
    place_of_root_[root] = size;
    size += (plan_.roots[root].stride + 15) / 16 * 16;
  }
  for (const Node& node : program_.graph().nodes()) {
    if (!plan_.is_needed[node.id] || node.op == nullptr) continue;
    place_of_auxiliary_[node.id] = size;
    size += auxiliary_stride(node);
  }
  memory_.resize(size);
}

void ScoringSteps::prepare(size_t pass) {
  PreparedPass& prepared = passes_.emplace_back();
  prepared.pass = &plan_.passes[pass];
  if (is_one_row_) {
    for (const ScoringProgram::RowUnit& unit : program_.row_units_[pass]) {
      const Node& node = program_.graph().node(unit.nodes[0]);
      if (unit.product) {
        prepare_product(prepared, unit);
      } else if (!prepare_step(prepared, node)) {
        prepare_call(prepared, node);
      }
    }
    return;
  }
  for (const Step& step : prepared.pass->steps) {
    const Node& node = program_.graph().node(step.node);
    if (step.kind == StepKind::Forward && !is_route(node)) prepare_call(prepared, node);
  }
}

void ScoringSteps::run_call(const kernels::RowStep& step) {
  const auto* prepared = static_cast<const PreparedCall*>(step.object);
  prepared->op->forward(prepared->call);
}

void ScoringSteps::prepare_call(PreparedPass& prepared, const Node& node) {
  Call<float>& call = calls_.emplace_back(PreparedCall{node.op.get(), {}}).call;
  prepared.steps.push_back({.run = run_call, .object = &calls_.back()});
  prepared.calls.push_back(&calls_.back());
  call.run = &run_;
  call.shapes = program_.input_shapes_[node.id];
  call.shape = &node.signature;
  call.stream = static_cast<uint64_t>(node.id);
  call.packed = program_.packed_[node.id];
  call.inputs = {operands_.data() + operands_.size(), node.inputs.size()};
  for (size_t i = 0; i < node.inputs.size(); ++i) prepare_operand(prepared, node, i);
  if (node.signature.domain == Domain::Routed) call.route = routes_[node.signature.route].get();
  prepare_output(prepared, node);
  const std::vector<int64_t>& offsets = prepared.pass->auxiliary_offset;
  if (!offsets.empty() && offsets[node.id] >= 0) {
    const int64_t place = is_one_row_ ? place_of_auxiliary_[node.id] : offsets[node.id] * plan_.tile_rows;
    call.auxiliary = {memory_.data() + place, auxiliary_stride(node)};
  }
}

int64_t ScoringSteps::auxiliary_stride(const Node& node) const {
  return (node.op->auxiliary_width(program_.input_shapes_[node.id]) + 15) / 16 * 16;
}

void ScoringSteps::prepare_operand(PreparedPass& prepared, const Node& node, size_t input) {
  const Node& source = program_.graph().node(node.inputs[input]);
  const Place& place = plan_.places[source.id];
  const int index = static_cast<int>(input), given = program_.input_of_node_[source.id];
  Call<float>& call = calls_.back().call;
  ConstRows<float>& operand = operands_.emplace_back();
  if (!node.op->uses_input(index, false)) return;
  if (is_route(source)) call.route = routes_[source.id].get();
  const Domain of_tile = prepared.pass->route < 0 ? Domain::Row : Domain::Routed;
  const bool is_local = source.signature.domain == of_tile;
  if (source.leaf == Leaf::Ids) {
    call.ids = &ids_.emplace_back();
    prepared.moving.push_back({Moving::Kind::Ids, is_local, given, 0, nullptr, &ids_.back()});
  } else if (place.storage == Storage::External) {
    prepared.moving.push_back({Moving::Kind::Values, is_local, given, 0, &operand});
  } else if (moves(source)) {
    prepared.moving.push_back({Moving::Kind::Batch, is_local, place.root, place.offset, &operand});
    operand.stride = plan_.roots[place.root].stride;
  } else {
    operand = resting(*prepared.pass, source, node.op->reads_matrix(index));
  }
}

void ScoringSteps::prepare_output(PreparedPass& prepared, const Node& node) {
  Rows<float>& output = calls_.back().call.output;
  const Place& place = plan_.places[node.id];
  if (moves(node)) {
    prepared.moving.push_back(
        {Moving::Kind::Batch, true, place.root, place.offset, nullptr, nullptr, &output});
    output.stride = plan_.roots[place.root].stride;
  } else {
    output = resting(*prepared.pass, node, false);
  }
}

void ScoringSteps::prepare_product(PreparedPass& prepared, const ScoringProgram::RowUnit& unit) {
  float** outputs = product_outputs_.data() + product_outputs_.size();
  for (const int node : unit.nodes)
    product_outputs_.push_back(resting(*prepared.pass, program_.graph().node(node), false).data);
  add_step(prepared, program_.graph().node(unit.nodes[0]), unit.product->step(outputs), 1);
}

bool ScoringSteps::prepare_step(PreparedPass& prepared, const Node& node) {
  const std::optional<kernels::RowStep> step = node.op->row_step(program_.input_shapes_[node.id]);
  if (!step || node.signature.domain != Domain::Row) return false;
  for (const int input : node.inputs) {
    if (moves(program_.graph().node(input))) return false;
  }
  add_step(prepared, node, *step, node.inputs.size());
  return true;
}

void ScoringSteps::add_step(PreparedPass& prepared, const Node& node, kernels::RowStep step,
                            size_t operands) {
  step.output = resting(*prepared.pass, node, false).data;
  for (size_t i = 0; i < operands; ++i) {
    const Node& source = program_.graph().node(node.inputs[i]);
    if (plan_.places[source.id].storage == Storage::External) {
      prepared.moving.push_back({.kind = Moving::Kind::Values,
                                 .is_local = true,
                                 .source = program_.input_of_node_[source.id],
                                 .offset = 0,
                                 .step = static_cast<int>(prepared.steps.size()),
                                 .input = static_cast<int>(i)});
    } else {
      step.inputs[i] = resting(*prepared.pass, source, false).data;
    }
  }
  prepared.steps.push_back(step);
}

// Whole-batch buffers grow with the batch, and rows of a branch lie anywhere in theirs.
bool ScoringSteps::moves(const Node& node) const {
  const Place& place = plan_.places[node.id];
  return place.storage == Storage::Batch && (!is_one_row_ || place_of_root_[place.root] < 0);
}

Rows<float> ScoringSteps::resting(const Pass& pass, const Node& node, bool is_matrix) {
  const Place& place = plan_.places[node.id];
  if (place.storage != Storage::Tile && place.storage != Storage::Batch)
    return program_.static_rows(node, is_matrix);
  const int64_t root =
      is_one_row_ ? place_of_root_[place.root] : pass.value_offset[place.root] * plan_.tile_rows;
  return {memory_.data() + root + place.offset, plan_.roots[place.root].stride};
}

void ScoringSteps::make_buffers() {
  for (size_t i = 0; i < plan_.roots.size(); ++i) {
    const Root& root = plan_.roots[i];
    if (!root.is_batch || place_of_root_[i] >= 0) continue;
    const int64_t rows =
        root.route < 0 ? run_.batch_rows : static_cast<int64_t>(routes_[root.route]->rows.size());
    if (values_[i].size() < rows * root.stride) values_[i].resize(rows * root.stride);
  }
}

void ScoringSteps::find_outputs() {
  outputs_.clear();
  for (const auto& [name, node] : program_.graph().outputs()) outputs_.push_back(value(node));
}

void ScoringSteps::forward(int64_t rows, std::span<const ScoringInput> inputs) {
  batch_ = inputs;
  if (run_.batch_rows != rows) {
    run_.batch_rows = rows;
    make_buffers();
    find_outputs();
  } else if (gives_inputs_) {
    find_outputs();
  }
  if (passes_.size() == 1) return run_pass(passes_[0]);
  for (const Stage& stage : plan_.stages) {
    if (stage.kind == Stage::Kind::Pass) run_pass(passes_[stage.pass]);
    if (stage.kind != Stage::Kind::FinishReductions) continue;
    for (const int node : plan_.passes[stage.pass].reductions) build_route(program_.graph().node(node));
  }
}

void ScoringSteps::build_route(const Node& node) {
  gatewise::build_route(value(node.inputs[0]), run_.batch_rows,
                        program_.input_shapes_[node.id][0].shape.elements(),
                        std::numeric_limits<int64_t>::max(), *routes_[node.id]);
  make_buffers();
}

void ScoringSteps::run_pass(PreparedPass& prepared) {
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

void ScoringSteps::move(PreparedPass& prepared, int64_t first_row) {
  for (const Moving& moving : prepared.moving) {
    const int64_t first = moving.is_local ? first_row : 0;
    switch (moving.kind) {
      case Moving::Kind::Values: {
        const ConstRows<float>& values = batch_[moving.source].values;
        const float* data = values.data + first * values.stride;
        if (moving.operand != nullptr) {
          *moving.operand = {data, values.stride};
        } else {
          prepared.steps[moving.step].inputs[moving.input] = data;
        }
        break;
      }
      case Moving::Kind::Ids:
        *moving.ids = batch_[moving.source].ids;
        if (moving.ids->offsets != nullptr) {
          moving.ids->offsets += first;
        } else {
          moving.ids->ids += first * moving.ids->stride;
        }
        break;
      case Moving::Kind::Batch: {
        float* data =
            values_[moving.source].data() + first * plan_.roots[moving.source].stride + moving.offset;
        if (moving.operand != nullptr) {
          moving.operand->data = data;
        } else {
          moving.output->data = data;
        }
        break;
      }
    }
  }
}

void ScoringSteps::run_tile(PreparedPass& prepared, int64_t first_row, int64_t rows, int64_t branch) {
  move(prepared, first_row);
  for (PreparedCall* prepared_call : prepared.calls) {
    prepared_call->call.rows = rows;
    prepared_call->call.first_row = first_row;
    prepared_call->call.branch = branch;
  }
  for (const kernels::RowStep& step : prepared.steps) step.run(step);
}

ConstRows<float> ScoringSteps::value(int node) const {
  const Place& place = plan_.places[node];
  switch (place.storage) {
    case Storage::Batch: {
      const int64_t stride = plan_.roots[place.root].stride;
      if (const int64_t resting = place_of_root_[place.root]; resting >= 0)
        return {memory_.data() + resting + place.offset, stride};
      return {values_[place.root].data() + place.offset, stride};
    }
    case Storage::External:
      return batch_[program_.input_of_node_[node]].values;
    case Storage::Static:
    case Storage::Parameter:
      return program_.static_rows(program_.graph().node(node), false);
    default:
      internal_error("value {} is not kept for the whole batch; add it to the watched values", node);
  }
}

ScoringRun::ScoringRun(std::shared_ptr<const ScoringProgram> program)
    : program_(std::move(program)),
      for_one_row_(std::make_unique<ScoringSteps>(*program_, true)),
      for_batches_(std::make_unique<ScoringSteps>(*program_, false)) {}

ScoringRun::~ScoringRun() = default;

void ScoringRun::forward(int64_t rows, std::span<const ScoringInput> inputs) {
  if (inputs.size() != program_->inputs().size())
    internal_error("scoring: got {} inputs, expected {}", inputs.size(), program_->inputs().size());
  ScoringSteps& steps = rows == 1 ? *for_one_row_ : *for_batches_;
  steps.call_ahead();
  steps.forward(rows, inputs);
  last_ = &steps;
}

ConstRows<float> ScoringRun::value(int node) const { return last_->value(node); }

ConstRows<float> ScoringRun::output(size_t index) const { return last_->output(index); }

}  // namespace gatewise

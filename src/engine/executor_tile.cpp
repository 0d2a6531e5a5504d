// What happens within one tile: operands are found, operations called.
#include <numeric>

#include "base/error.h"
#include "engine/executor.h"
#include "engine/phases.h"
#include "engine/planner.h"

namespace gatewise {

template <class T>
bool Program<T>::Executor::is_local(const Tile& tile, const Node& node) const {
  return node.signature.domain == (tile.pass->route < 0 ? Domain::Row : Domain::Routed);
}

template <class T>
Rows<T> Program<T>::Executor::value_rows(const Tile& tile, int id, bool is_matrix) {
  const Place& place = plan_.places[id];
  const Node& node = graph_.node(id);
  const int64_t first = is_local(tile, node) ? tile.first_row : 0;
  switch (place.storage) {
    case Storage::Tile: {
      // A backward pass of its own has no place for values that it does not read.
      const int64_t offset = tile.pass->value_offset[place.root];
      if (offset < 0) return {};
      return {tile.worker->tile.data() + offset * plan_.tile_rows + place.offset,
              plan_.roots[place.root].stride};
    }
    case Storage::Batch:
      return {values_[place.root].data() + first * plan_.roots[place.root].stride + place.offset,
              plan_.roots[place.root].stride};
    case Storage::External: {
      if (node.leaf == Leaf::Ids) return {};
      const ConstRows<T>& input = batch_->inputs.at(id);
      return {const_cast<T*>(input.data) + first * input.stride, input.stride};
    }
    case Storage::Static:
      return {statics_.data() + place.offset, is_matrix ? node.signature.shape.last() : 0};
    case Storage::Parameter: {
      const ParameterPlace& parameter = plan_.layout->places[place.root];
      return {store_.at(parameter), is_matrix ? parameter.row_stride : 0};
    }
    case Storage::None:
      return {};
  }
  return {};
}

template <class T>
Rows<T> Program<T>::Executor::gradient_rows(const Tile& tile, int id, bool is_matrix, bool is_direct) {
  const Node& node = graph_.node(id);
  if (!plan_.has_gradient[id]) return {};
  if (node.signature.domain == Domain::Static) {
    if (plan_.places[id].storage == Storage::Parameter) {
      const ParameterPlace& parameter = plan_.layout->places[plan_.places[id].root];
      if (parameter.is_table) return {};
      T* arena = is_direct ? gradients_.data() : tile.lane->gradients;
      return {arena + parameter.offset, is_matrix ? parameter.row_stride : 0};
    }
    return {tile.lane->static_gradients.data() + plan_.static_gradient[id],
            is_matrix ? node.signature.shape.last() : 0};
  }
  const Place& place = plan_.gradients[id];
  const int64_t stride = plan_.roots[place.root].stride;
  if (place.storage == Storage::Batch) {
    const int64_t first = is_local(tile, node) ? tile.first_row : 0;
    return {root_gradients_[place.root].data() + first * stride + place.offset, stride};
  }
  return {tile.worker->tile.data() + tile.pass->gradient_offset[place.root] * plan_.tile_rows + place.offset,
          stride};
}

template <class T>
Call<T> Program<T>::Executor::make_call(const Tile& tile, const Node& node) {
  Worker& worker = *tile.worker;
  Call<T> call;
  call.rows = tile.rows;
  call.first_row = tile.first_row;
  call.run = &run_;
  call.shapes = input_shapes_[node.id];
  call.shape = &node.signature;
  call.stream = static_cast<uint64_t>(node.id);
  call.branch = tile.branch;
  call.packed = packed_[node.id];
  call.packed_transposed = packed_transposed_[node.id];
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const int input = static_cast<int>(i);
    const Node& source = graph_.node(node.inputs[i]);
    const bool is_used = node.op->uses_input(input, plan_.options.is_training);
    worker.inputs[i] =
        is_used ? ConstRows<T>(value_rows(tile, source.id, node.op->reads_matrix(input))) : ConstRows<T>();
    if (source.leaf == Leaf::Ids) {
      worker.ids = batch_->ids.at(source.id);
      if (worker.ids.offsets != nullptr) {
        worker.ids.offsets += tile.first_row;
      } else {
        worker.ids.ids += tile.first_row * worker.ids.stride;
      }
      call.ids = &worker.ids;
    }
    if (is_route(source)) call.route = &routes_.at(source.id);
  }
  if (node.signature.domain == Domain::Routed) call.route = &routes_.at(node.signature.route);
  call.inputs = {worker.inputs.data(), node.inputs.size()};
  call.output = value_rows(tile, node.id, false);
  const int64_t auxiliary = tile.pass->auxiliary_offset.empty() ? -1 : tile.pass->auxiliary_offset[node.id];
  if (auxiliary >= 0) {
    call.auxiliary = {worker.tile.data() + auxiliary * plan_.tile_rows,
                      (node.op->auxiliary_width(input_shapes_[node.id]) + 15) / 16 * 16};
  }
  return call;
}

template <class T>
void Program<T>::Executor::run_forward(const Tile& tile, const Node& node) {
  if (is_route(node)) return;
  if (is_reduction(node)) {
    run_reduction(tile, node);
    return;
  }
  node.op->forward(make_call(tile, node));
}

template <class T>
void Program<T>::Executor::run_reduction(const Tile& tile, const Node& node) {
  const std::vector<int>& reductions = tile.pass->reductions;
  const size_t index = std::find(reductions.begin(), reductions.end(), node.id) - reductions.begin();
  dynamic_cast<const Reduction&>(*node.op).add(make_call(tile, node), tile.lane->partials[index].data());
}

template <class T>
void Program<T>::Executor::run_backward(const Tile& tile, const Step& step) {
  const Node& node = graph_.node(step.node);
  Worker& worker = *tile.worker;
  Call<T> call = make_call(tile, node);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const int input = static_cast<int>(i);
    const bool is_wanted = node.op->has_gradient(input) && node.op->uses_input(input, true) &&
                           !is_joined_in_place(plan_, node, i) && !is_deferred(plan_, node, input);
    worker.d_inputs[i] = is_wanted ? gradient_rows(tile, node.inputs[i], node.op->reads_matrix(input),
                                                   node.op->owns_branch(input))
                                   : Rows<T>();
    const bool is_start = step.starts_branches[i] && tile.first_row == call.route->first[tile.branch];
    worker.accumulate[i] = step.accumulate[i] && !is_start;
    worker.masks[i] = step.masks[i];
  }
  call.d_inputs = {worker.d_inputs.data(), node.inputs.size()};
  call.accumulate = {worker.accumulate.get(), node.inputs.size()};
  call.masks = {worker.masks.get(), node.inputs.size()};
  call.is_d_output_masked = plan_.is_masked[node.id];
  if (is_reduction(node)) {
    call.d_output = {static_gradients_.data() + plan_.static_gradient[node.id], 0};
  } else {
    call.d_output = gradient_rows(tile, node.id, false, false);
  }
  node.op->backward(call);
}

template <class T>
void Program<T>::Executor::run_seed(const Tile& tile, const Step& step) {
  const int node = graph_.losses()[step.node].node;
  const double weight = task_weights_.empty() ? 1.0 : task_weights_[step.node];
  const Rows<T> losses = value_rows(tile, node, false);
  // A loss that nothing trainable influences is only measured.
  const Rows<T> gradient = gradient_rows(tile, node, false, false);
  double sum = 0;
  for (int64_t row = 0; row < tile.rows; ++row) {
    const T coefficient =
        batch_->coefficients.data[(tile.first_row + row) * batch_->coefficients.stride + step.node];
    if (coefficient != T(0)) {
      sum += static_cast<double>(coefficient) * static_cast<double>(losses.data[row * losses.stride]);
    }
    if (gradient.data == nullptr) continue;
    const T seed = static_cast<T>(weight) * coefficient;
    T& target = gradient.data[row * gradient.stride];
    target = step.accumulate[0] ? target + seed : seed;
  }
  tile.lane->losses[step.node] += sum;
}

template <class T>
void Program<T>::Executor::run_fill(const Tile& tile, const Step& step) {
  const Root& root = plan_.roots[step.node];
  const auto fill = [&](T* data, int64_t row) {
    std::fill(data + row * root.stride + step.begin, data + row * root.stride + step.end, T(0));
  };
  if (root.route >= 0 && tile.pass->route < 0) {
    // Routed rows in a pass over batch rows: each row clears its own.
    const Route& route = routes_.at(root.route);
    for (int64_t pair = route.row_first[tile.first_row]; pair < route.row_first[tile.first_row + tile.rows];
         ++pair) {
      fill(root_gradients_[step.node].data(), route.row_positions[pair]);
    }
    return;
  }
  T* data = root.is_gradient_batch
                ? root_gradients_[step.node].data() + tile.first_row * root.stride
                : tile.worker->tile.data() + tile.pass->gradient_offset[step.node] * plan_.tile_rows;
  for (int64_t row = 0; row < tile.rows; ++row) fill(data, row);
}

template <class T>
void Program<T>::Executor::run_static(const std::vector<int>& nodes, bool is_backward) {
  // Static operations are tiles of one row; their gradients add to lane 0 and to the static gradients
  // directly.
  Pass pass;
  lanes_[0].gradients = gradients_.data();
  const Tile tile{&pass, &workers_[0], &lanes_[0], 0, 1, 0};
  for (const int id : nodes) {
    const Node& node = graph_.node(id);
    Aligned<T> auxiliary(node.op->auxiliary_width(input_shapes_[id]));
    Call<T> call = make_call(tile, node);
    call.auxiliary = {auxiliary.data(), auxiliary.size()};
    call.output = {statics_.data() + plan_.places[id].offset, 0};
    if (!is_backward || auxiliary.size() > 0) node.op->forward(call);
    if (!is_backward) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const int input = node.inputs[i];
      const bool is_matrix = node.op->reads_matrix(static_cast<int>(i));
      Rows<T> target;
      if (plan_.static_gradient[input] >= 0) {
        target = {static_gradients_.data() + plan_.static_gradient[input],
                  is_matrix ? graph_.node(input).signature.shape.last() : 0};
      } else {
        target = gradient_rows(tile, input, is_matrix, true);
      }
      workers_[0].d_inputs[i] = node.op->has_gradient(static_cast<int>(i)) ? target : Rows<T>();
      workers_[0].accumulate[i] = true;
    }
    call.d_inputs = {workers_[0].d_inputs.data(), node.inputs.size()};
    call.accumulate = {workers_[0].accumulate.get(), node.inputs.size()};
    call.d_output = {static_gradients_.data() + plan_.static_gradient[id], 0};
    node.op->backward(call);
  }
}

template <class T>
void Program<T>::Executor::keep_watched(int64_t first, int64_t rows, TaskGradient<T>& gradient) const {
  for (const int node : plan_.options.watched_gradients) {
    if (!plan_.has_gradient[node] || graph_.node(node).signature.domain != Domain::Row) continue;
    const ConstRows<T> all = this->gradient(node);
    const int64_t width = graph_.node(node).signature.shape.elements();
    std::vector<T>& kept = gradient.values[node];
    for (int64_t row = first; row < first + rows; ++row) {
      kept.insert(kept.end(), all.data + row * all.stride, all.data + row * all.stride + width);
    }
  }
}

// Gradients of parameters whose slices rows name by ids: the batch rows of a slice belong together.
template <class T>
void Program<T>::Executor::run_deferred() {
  Pass pass;
  pass.value_offset.assign(plan_.roots.size(), -1);
  for (const int id : plan_.deferred) {
    const Node& node = graph_.node(id);
    const Ids& ids = batch_->ids.at(node.inputs[node.op->ids_of_slices()]);
    const auto slice_of = [&](int64_t row) { return static_cast<size_t>(ids.ids[row * ids.stride]); };
    std::vector<int64_t> first(input_shapes_[id][1].shape[0] + 1, 0), rows(batch_->rows);
    for (int64_t row = 0; row < batch_->rows; ++row) ++first[slice_of(row) + 1];
    std::partial_sum(first.begin(), first.end(), first.begin());
    std::vector<int64_t> next = first;
    for (int64_t row = 0; row < batch_->rows; ++row) rows[next[slice_of(row)]++] = row;
    lanes_[0].gradients = gradients_.data();
    pool_.run(static_cast<int64_t>(first.size()) - 1, [&](int64_t slice, int index) {
      if (first[slice] == first[slice + 1]) return;
      Worker& worker = workers_[index];
      const Tile whole{&pass, &worker, &lanes_[0], 0, batch_->rows, 0};
      Call<T> call = make_call(whole, node);
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const int input = static_cast<int>(i);
        worker.d_inputs[i] = is_deferred(plan_, node, input)
                                 ? gradient_rows(whole, node.inputs[i], node.op->reads_matrix(input), true)
                                 : Rows<T>();
      }
      call.d_inputs = {worker.d_inputs.data(), node.inputs.size()};
      call.d_output = gradient_rows(whole, id, false, false);
      node.op->slice_backward(call, slice,
                              std::span(rows).subspan(first[slice], first[slice + 1] - first[slice]));
    });
  }
}

// A whole step for every task, with a weight for it alone.
template <class T>
std::vector<TaskGradient<T>> Program<T>::Executor::run_tasks_one_by_one() {
  const size_t tasks = graph_.losses().size();
  std::vector<TaskGradient<T>> result(tasks);
  with_penalties_ = false;
  for (size_t task = 0; task < tasks; ++task) {
    std::vector<double> weights(tasks, 0);
    weights[task] = 1;
    run_stages(weights, true);
    result[task].arena.resize(plan_.layout->arena_size);
    std::copy_n(gradients_.data(), plan_.layout->arena_size, result[task].arena.data());
    keep_watched(0, batch_->rows, result[task]);
  }
  with_penalties_ = true;
  task_weights_ = {};
  return result;
}

template <class T>
std::vector<TaskGradient<T>> Program<T>::Executor::run_task_gradients() {
  const size_t tasks = graph_.losses().size();
  const bool has_static_backward =
      std::any_of(plan_.stages.begin(), plan_.stages.end(),
                  [](const Stage& stage) { return stage.kind == Stage::Kind::StaticBackward; });
  if (!plan_.options.keeps_values || plan_.passes.size() != 1 || has_static_backward ||
      !plan_.deferred.empty()) {
    return run_tasks_one_by_one();
  }
  with_backward_ = true;
  const Pass& whole = plan_.passes[0];
  Pass forward = whole, backward = whole;
  // Where there is but one pass, no row waits for its reductions: they serve penalties alone.
  std::erase_if(forward.steps, [&](const Step& step) {
    return step.kind != StepKind::Forward || is_reduction(graph_.node(step.node));
  });
  std::erase_if(backward.steps, [](const Step& step) { return step.kind == StepKind::Forward; });
  std::vector<TaskGradient<T>> result(tasks);
  for (TaskGradient<T>& gradient : result) gradient.arena.resize(plan_.layout->arena_size);
  for (const Stage& stage : plan_.stages) {
    if (stage.kind == Stage::Kind::StaticForward) run_static(stage.nodes, false);
  }
  for (int64_t first = 0; first < batch_->rows; first += plan_.tile_rows) {
    const int64_t rows = std::min(plan_.tile_rows, batch_->rows - first);
    run_tile({&forward, &workers_[0], &lanes_[0], first, rows, 0});
    for (size_t task = 0; task < tasks; ++task) {
      std::vector<double> weights(tasks, 0);
      weights[task] = 1;
      task_weights_ = weights;
      lanes_[0].gradients = result[task].arena.data();
      run_tile({&backward, &workers_[0], &lanes_[0], first, rows, 0});
      keep_watched(first, rows, result[task]);
    }
  }
  task_weights_ = {};
  return result;
}

template <class T>
ConstRows<T> Program<T>::Executor::value(int node) const {
  const Place& place = plan_.places[node];
  if (place.storage == Storage::Batch)
    return {values_[place.root].data() + place.offset, plan_.roots[place.root].stride};
  if (place.storage == Storage::Static) return {statics_.data() + place.offset, 0};
  if (place.storage == Storage::External) return batch_->inputs.at(node);
  if (place.storage == Storage::Parameter) return {store_.at(plan_.layout->places[place.root]), 0};
  internal_error("value {} is not kept for the whole batch; add it to the watched values", node);
}

template <class T>
ConstRows<T> Program<T>::Executor::gradient(int node) const {
  const Place& place = plan_.gradients[node];
  if (place.storage != Storage::Batch) {
    internal_error(
        "the gradient of value {} is not kept for the whole batch; add it to the watched gradients", node);
  }
  return {root_gradients_[place.root].data() + place.offset, plan_.roots[place.root].stride};
}

template class Program<float>::Executor;
template class Program<double>::Executor;

}  // namespace gatewise

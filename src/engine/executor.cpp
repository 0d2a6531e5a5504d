#include "engine/executor.h"

#include "base/error.h"
#include "engine/embeddings.h"
#include "engine/phases.h"
#include "engine/planner.h"

namespace gatewise {

template <class T>
Program<T>::Executor::Executor(const Plan& plan, Store<T>& store, Pool& pool)
    : gradients_(plan.options.is_training ? plan.layout->arena_size : 0),
      plan_(plan),
      graph_(*plan.graph),
      store_(store),
      pool_(pool),
      workers_(pool.threads()),
      lanes_(plan.lanes),
      lane_gradients_(gradients_, pool),
      values_(plan.roots.size()),
      root_gradients_(plan.roots.size()),
      statics_(plan.static_size),
      static_gradients_(plan.static_gradient_size),
      packed_(graph_.nodes().size()),
      packed_transposed_(graph_.nodes().size()) {
  size_t most_inputs = 1;
  for (const Node& node : graph_.nodes()) {
    std::vector<Signature> shapes;
    for (const int input : node.inputs) shapes.push_back(graph_.node(input).signature);
    input_shapes_.push_back(std::move(shapes));
    most_inputs = std::max(most_inputs, node.inputs.size());
    if (node.leaf == Leaf::Constant && plan_.is_needed[node.id]) {
      for (size_t i = 0; i < node.constant.size(); ++i) {
        statics_[plan_.places[node.id].offset + static_cast<int64_t>(i)] = static_cast<T>(node.constant[i]);
      }
    }
  }
  const int64_t tile_elements = plan_.tile_bytes(1);
  for (Worker& worker : workers_) {
    worker.tile.resize(tile_elements);
    worker.inputs.resize(most_inputs);
    worker.d_inputs.resize(most_inputs);
    worker.accumulate = std::make_unique<bool[]>(most_inputs);
    worker.masks = std::make_unique<bool[]>(most_inputs);
  }
  for (size_t lane = 0; lane < lanes_.size(); ++lane) {
    lanes_[lane].losses.assign(graph_.losses().size(), 0);
    if (!plan_.options.is_training) continue;
    lanes_[lane].static_gradients.resize(plan_.lane_static_size);
  }
}

template <class T>
void Program<T>::Executor::begin(const Batch<T>& batch, const Run& run) {
  batch_ = &batch;
  run_ = run;
  run_.batch_rows = batch.rows;
  for (const Node& node : graph_.nodes()) {
    if (!plan_.is_needed[node.id]) continue;
    if (node.leaf == Leaf::Input && !batch.inputs.contains(node.id)) {
      internal_error("the batch lacks the input \"{}\"", node.name);
    }
    if (node.leaf == Leaf::Scalar) {
      const auto found = batch.scalars.find(node.id);
      if (found == batch.scalars.end()) internal_error("the batch lacks the scalar \"{}\"", node.name);
      statics_[plan_.places[node.id].offset] = found->second;
    }
    if (node.leaf == Leaf::State) {
      const T* state = store_.states().data() + plan_.layout->state_of_node[node.id];
      std::copy(state, state + node.signature.shape.elements(),
                statics_.data() + plan_.places[node.id].offset);
    }
  }
  make_buffers();
}

template <class T>
void Program<T>::Executor::make_buffers() {
  int64_t bytes = 0;
  for (const Worker& worker : workers_) bytes += worker.tile.bytes();
  for (size_t i = 0; i < plan_.roots.size(); ++i) {
    const Root& root = plan_.roots[i];
    int64_t rows = batch_->rows;
    if (root.route >= 0) {
      const auto route = routes_.find(root.route);
      rows = route == routes_.end() ? 0 : static_cast<int64_t>(route->second.rows.size());
    }
    const int64_t size = rows * root.stride;
    if (root.is_batch && values_[i].size() < size) values_[i].resize(size);
    if (root.has_gradient && root.is_gradient_batch && root_gradients_[i].size() < size) {
      root_gradients_[i].resize(size);
    }
    bytes += values_[i].bytes() + root_gradients_[i].bytes();
  }
  peak_bytes_ = std::max(peak_bytes_, bytes);
}

template <class T>
void Program<T>::Executor::pack() {
  struct Job {
    int node;
    int64_t group;
    bool is_transposed;
  };
  std::vector<Job> jobs;
  const auto add_jobs = [&](const std::vector<int>& nodes, bool is_transposed) {
    for (const int node : nodes) {
      const Shape& shape = input_shapes_[node][1].shape;
      const int64_t groups =
          shape.elements() / (shape[-2] * shape.last()) * graph_.node(node).op->column_blocks();
      (is_transposed ? packed_transposed_ : packed_)[node].resize(groups);
      for (int64_t group = 0; group < groups; ++group) jobs.push_back({node, group, is_transposed});
    }
  };
  add_jobs(plan_.packed, false);
  if (plan_.options.is_training) add_jobs(plan_.packed_transposed, true);
  pool_.run(static_cast<int64_t>(jobs.size()), [&](int64_t index, int) {
    const Job& job = jobs[index];
    const Node& matrix = graph_.node(graph_.node(job.node).inputs[1]);
    const Place& place = plan_.places[matrix.id];
    const int64_t blocks = graph_.node(job.node).op->column_blocks();
    const int64_t in = matrix.signature.shape[-2], out = matrix.signature.shape.last() / blocks;
    const bool is_parameter = place.storage == Storage::Parameter;
    const int64_t stride = is_parameter ? plan_.layout->places[place.root].row_stride : out * blocks;
    const T* data =
        is_parameter ? store_.at(plan_.layout->places[place.root]) : statics_.data() + place.offset;
    data += blocks > 1 ? job.group * out : job.group * in * stride;
    if (job.is_transposed) {
      packed_transposed_[job.node][job.group].pack_transposed(out, in, data, stride);
    } else {
      packed_[job.node][job.group].pack(in, out, data, stride);
    }
  });
  is_packed_ = true;
}

// Starts the gradients of a step: 0, and 1 for each penalty that takes part.
template <class T>
void Program<T>::Executor::clear_lanes() {
  static_gradients_.fill(T(0));
  const std::vector<ArenaRange> chunks = in_chunks(plan_.cleared, 64 * 1024);
  pool_.run(static_cast<int64_t>(chunks.size()), [&](int64_t index, int) {
    std::fill(gradients_.data() + chunks[index].begin, gradients_.data() + chunks[index].end, T(0));
  });
  for (Lane<T>& lane : lanes_) {
    lane.static_gradients.fill(T(0));
    std::fill(lane.losses.begin(), lane.losses.end(), 0.0);
  }
  for (const Penalty& penalty : graph_.penalties()) {
    if (!with_penalties_ || !plan_.has_gradient[penalty.node]) continue;
    if (graph_.node(penalty.node).leaf == Leaf::Parameter) {
      gradients_[plan_.layout->places[plan_.layout->place_of_node[penalty.node]].offset] += T(1);
    } else {
      static_gradients_[plan_.static_gradient[penalty.node]] += T(1);
    }
  }
}

template <class T>
void Program<T>::Executor::run_stages(std::span<const double> task_weights, bool with_backward) {
  task_weights_ = task_weights;
  with_backward_ = with_backward;
  const int64_t tiles = (batch_->rows + plan_.tile_rows - 1) / plan_.tile_rows;
  lanes_used_ = std::max<int64_t>(1, std::min<int64_t>(plan_.lanes, tiles));
  if (with_backward) clear_lanes();
  for (const Stage& stage : plan_.stages) {
    switch (stage.kind) {
      case Stage::Kind::StaticForward:
        run_static(stage.nodes, false);
        break;
      case Stage::Kind::Pass:
        if (with_backward || plan_.passes[stage.pass].has_forward) run_pass(plan_.passes[stage.pass]);
        break;
      case Stage::Kind::FinishReductions:
        finish_reductions(plan_.passes[stage.pass]);
        break;
      case Stage::Kind::StaticBackward:
        if (with_backward) run_static(stage.nodes, true);
        break;
    }
  }
  if (with_backward) run_deferred();
}

template <class T>
void Program<T>::Executor::run_pass(const Pass& pass) {
  for (Lane<T>& lane : lanes_) {
    lane.partials.resize(pass.reductions.size());
    for (size_t i = 0; i < pass.reductions.size(); ++i) {
      const Node& node = graph_.node(pass.reductions[i]);
      const auto* reduction = dynamic_cast<const Reduction*>(node.op.get());
      if (reduction == nullptr) continue;
      lane.partials[i].assign(reduction->partial_width(input_shapes_[node.id]), 0);
      reduction->start(input_shapes_[node.id][0], lane.partials[i].data());
    }
  }
  pass.route < 0 ? run_rows(pass) : run_routed(pass);
  if (pass.has_backward && with_backward_) add_static_lanes();
}

template <class T>
void Program<T>::Executor::run_rows(const Pass& pass) {
  const int64_t tiles = (batch_->rows + plan_.tile_rows - 1) / plan_.tile_rows;
  const auto run_range = [&](int64_t lane, int64_t begin, int64_t end, int worker) {
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t first = tile * plan_.tile_rows;
      run_tile({&pass, &workers_[worker], &lanes_[lane], first,
                std::min(plan_.tile_rows, batch_->rows - first), 0});
    }
  };
  if (!pass.has_backward && pass.reductions.empty()) {
    pool_.run(tiles, [&](int64_t tile, int worker) { run_range(0, tile, tile + 1, worker); });
    return;
  }
  run_lanes(pass, [&](int64_t lane, int worker) {
    run_range(lane, lane * tiles / lanes_used_, (lane + 1) * tiles / lanes_used_, worker);
  });
}

template <class T>
void Program<T>::Executor::run_lanes(const Pass& pass,
                                     const std::function<void(int64_t lane, int worker)>& run) {
  if (!pass.has_backward || !with_backward_) return pool_.run(lanes_used_, run);
  lane_gradients_.start(lanes_used_, pass.lane_ranges);
  pool_.run(lanes_used_, [&](int64_t lane, int worker) {
    lanes_[lane].gradients = lane_gradients_.begin(lane);
    run(lane, worker);
    lane_gradients_.end(lane);
  });
  lane_gradients_.finish();
}

template <class T>
void Program<T>::Executor::run_tile(const Tile& tile) {
  for (const Step& step : tile.pass->steps) {
    if (step.kind != StepKind::Forward && !with_backward_) continue;
    switch (step.kind) {
      case StepKind::Forward:
        run_forward(tile, graph_.node(step.node));
        break;
      case StepKind::Backward:
        run_backward(tile, step);
        break;
      case StepKind::Seed:
        run_seed(tile, step);
        break;
      case StepKind::Fill:
        run_fill(tile, step);
        break;
    }
  }
}

template <class T>
void Program<T>::Executor::add_static_lanes() {
  for (int64_t lane = 0; lane < lanes_used_; ++lane) {
    for (int64_t i = 0; i < plan_.lane_static_size; ++i) {
      static_gradients_[i] += lanes_[lane].static_gradients[i];
    }
    lanes_[lane].static_gradients.fill(T(0));
  }
}

template <class T>
void Program<T>::Executor::finish_reductions(const Pass& pass) {
  for (size_t i = 0; i < pass.reductions.size(); ++i) {
    const Node& node = graph_.node(pass.reductions[i]);
    if (is_route(node)) {
      build_route(node);
      continue;
    }
    const auto& reduction = dynamic_cast<const Reduction&>(*node.op);
    const Signature& input = input_shapes_[node.id][0];
    std::vector<double>& total = lanes_[0].partials[i];
    for (int64_t lane = 1; lane < lanes_used_; ++lane) {
      reduction.merge(input, total.data(), lanes_[lane].partials[i].data());
    }
    std::vector<double> result(node.signature.shape.elements());
    const int64_t rows =
        pass.route < 0 ? batch_->rows : static_cast<int64_t>(routes_.at(pass.route).rows.size());
    reduction.finish(input, total.data(), rows, result.data());
    T* into = statics_.data() + plan_.places[node.id].offset;
    std::transform(result.begin(), result.end(), into, [](double value) { return static_cast<T>(value); });
  }
}

template <class T>
StepResult Program<T>::Executor::result(std::span<const double> task_weights) const {
  StepResult result;
  result.losses.assign(graph_.losses().size(), 0);
  for (size_t loss = 0; loss < result.losses.size(); ++loss) {
    for (int64_t lane = 0; lane < lanes_used_; ++lane) result.losses[loss] += lanes_[lane].losses[loss];
    result.total += (task_weights.empty() ? 1.0 : task_weights[loss]) * result.losses[loss];
  }
  for (const Penalty& penalty : graph_.penalties()) {
    result.penalties.push_back(static_cast<double>(value(penalty.node).data[0]));
    result.total += result.penalties.back();
  }
  return result;
}

template <class T>
void Program<T>::Executor::update_states() {
  for (const StateUpdate& update : graph_.updates()) {
    const T* from = statics_.data() + plan_.places[update.value].offset;
    std::copy(from, from + graph_.node(update.state).signature.shape.elements(),
              store_.states().data() + plan_.layout->state_of_node[update.state]);
  }
}

template <class T>
void Program<T>::Executor::collect_tables() {
  const std::function<ConstRows<T>(int)> gradient_of = [this](int node) { return gradient(node); };
  collect_table_gradients(plan_, *batch_, pool_, gradients_, gradient_of, table_gradients_);
}

template class Program<float>::Executor;
template class Program<double>::Executor;

}  // namespace gatewise

// Routes, and passes over their rows.
#include <limits>

#include "engine/executor.h"
#include "engine/routing.h"

namespace gatewise {

// The most rows that a branch of a route takes. Mesh TensorFlow's rule: never fewer than 4.
template <class T>
int64_t Program<T>::Executor::branch_capacity(const Node& node, ConstRows<T> chosen) const {
  const double factor = node.op->attributes().at("capacity_factor").template get<double>();
  if (factor == 0 || !run_.is_training) return std::numeric_limits<int64_t>::max();
  const int64_t branches = input_shapes_[node.id][0].shape.elements();
  int64_t pairs = 0;
  for (int64_t row = 0; row < batch_->rows; ++row) {
    for (int64_t branch = 0; branch < branches; ++branch)
      pairs += chosen.data[row * chosen.stride + branch] != T(0);
  }
  return std::max<int64_t>(
      4, static_cast<int64_t>(factor * static_cast<double>(pairs) / static_cast<double>(branches)));
}

template <class T>
void Program<T>::Executor::build_route(const Node& node) {
  const ConstRows<T> chosen = value(node.inputs[0]);
  gatewise::build_route(chosen, batch_->rows, input_shapes_[node.id][0].shape.elements(),
                        branch_capacity(node, chosen), routes_[node.id], batch_->turns);
  make_buffers();
}

template <class T>
void Program<T>::Executor::run_routed(const Pass& pass) {
  const Route& route = routes_.at(pass.route);
  const auto run_branch = [&](int64_t lane, int64_t branch, int worker) {
    if (with_backward_ && route.first[branch] == route.first[branch + 1]) clear_branch(pass, branch);
    for (int64_t first = route.first[branch]; first < route.first[branch + 1]; first += plan_.tile_rows) {
      run_tile({&pass, &workers_[worker], &lanes_[lane], first,
                std::min(plan_.tile_rows, route.first[branch + 1] - first), branch});
    }
  };
  if (!pass.has_backward && pass.reductions.empty()) {
    pool_.run(route.branches, [&](int64_t branch, int worker) { run_branch(0, branch, worker); });
    return;
  }
  run_lanes(pass, [&](int64_t lane, int worker) {
    const int64_t end = (lane + 1) * route.branches / lanes_used_;
    for (int64_t branch = lane * route.branches / lanes_used_; branch < end; ++branch)
      run_branch(lane, branch, worker);
  });
}

// A branch without rows starts its gradients with 0.
template <class T>
void Program<T>::Executor::clear_branch(const Pass& pass, int64_t branch) {
  const int64_t branches = routes_.at(pass.route).branches;
  for (const StartedGradient& gradient : pass.started) {
    const ParameterPlace& place = plan_.layout->places[gradient.place];
    const int64_t rows = gradient.is_side_by_side ? place.rows : place.rows / branches;
    const int64_t columns = gradient.is_side_by_side ? place.columns / branches : place.columns;
    T* data = gradients_.data() + place.offset;
    data += branch * (gradient.is_side_by_side ? columns : rows * place.row_stride);
    for (int64_t row = 0; row < rows; ++row) std::fill_n(data + row * place.row_stride, columns, T(0));
  }
}

template class Program<float>::Executor;
template class Program<double>::Executor;

}  // namespace gatewise

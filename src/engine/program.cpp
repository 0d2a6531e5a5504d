#include "engine/program.h"

#include "base/error.h"
#include "engine/executor.h"

namespace gatewise {

template <class T>
Program<T>::Program(Store<T>& store, Pool& pool, PlanOptions options)
    : plan_(std::make_unique<Plan>(store.graph(), store.layout(), std::move(options))),
      executor_(std::make_unique<Executor>(*plan_, store, pool)) {}

template <class T>
Program<T>::~Program() = default;

template <class T>
void Program<T>::forward(const Batch<T>& batch, const Run& run) {
  executor_->begin(batch, run);
  if (!executor_->is_packed_ || plan_->options.is_training) executor_->pack();
  executor_->run_stages({}, false);
}

template <class T>
void Program<T>::parameters_changed() {
  executor_->is_packed_ = false;
}

template <class T>
StepResult Program<T>::step(const Batch<T>& batch, const Run& run, std::span<const double> task_weights) {
  if (!plan_->options.is_training) internal_error("a program for scoring cannot train");
  executor_->begin(batch, run);
  executor_->pack();
  executor_->run_stages(task_weights, true);
  executor_->collect_tables();
  executor_->update_states();
  return executor_->result(task_weights);
}

template <class T>
std::vector<TaskGradient<T>> Program<T>::task_gradients(const Batch<T>& batch, const Run& run) {
  executor_->begin(batch, run);
  executor_->pack();
  return executor_->run_task_gradients();
}

template <class T>
Aligned<T>& Program<T>::gradients() {
  return executor_->gradients_;
}

template <class T>
std::vector<TableGradient<T>>& Program<T>::table_gradients() {
  return executor_->table_gradients_;
}

template <class T>
ConstRows<T> Program<T>::value(int node) const {
  return executor_->value(node);
}

template <class T>
ConstRows<T> Program<T>::gradient(int node) const {
  return executor_->gradient(node);
}

template <class T>
int64_t Program<T>::activation_bytes() const {
  return executor_->activation_bytes();
}

template class Program<float>;
template class Program<double>;

}  // namespace gatewise

// A planned graph that runs: forward, and for training also backward. One Program belongs to one thread at a
// time; it uses the pool for its work. T is float, or double for gradient checks by the reference kernels.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/threads.h"
#include "engine/plan.h"
#include "engine/store.h"

namespace gatewise {

// What a program reads for one batch, by input node. Pointers stay valid during the run.
template <class T>
struct Batch {
  int64_t rows = 0;
  std::map<int, ConstRows<T>> inputs;  // by Input node: [rows, width]
  std::map<int, Ids> ids;              // by Ids node
  std::map<int, T> scalars;            // by Scalar node
  // [rows, losses] weight of each row's loss over its normaliser; 0 where the label is missing.
  ConstRows<T> coefficients;
  // [rows] the rows in the order in which they take the room in a route of limited capacity; empty: as they
  // lie.
  std::span<const int32_t> turns = {};
};

// The gradient of a big embedding table: only the rows that the batch touched, each summed in position order.
template <class T>
struct TableGradient {
  int place = -1;
  int64_t width = 0;
  std::vector<uint32_t> ids;  // ascending
  std::vector<T> sums;        // [ids, width]
};

// The gradient of one task's loss alone.
template <class T>
struct TaskGradient {
  Aligned<T> arena;
  std::map<int, std::vector<T>> values;  // of the watched gradients, by node: [rows, width]
};

struct StepResult {
  std::vector<double> losses;     // by loss: sum over rows of coefficient x loss, before task weights
  std::vector<double> penalties;  // by penalty
  double total = 0;               // task weights x losses + penalties
};

template <class T>
class Program {
 public:
  Program(Store<T>& store, Pool& pool, PlanOptions options);
  ~Program();

  const Plan& plan() const { return *plan_; }

  // Forward only. In a program for scoring, parameters_changed() must be called after the store was written
  // to.
  void forward(const Batch<T>& batch, const Run& run);
  void parameters_changed();

  // Forward and backward; the gradients are those of sum of weight x loss plus penalties. Throws Error(Data)
  // when a batch does not suit the model (one row with batch norm).
  StepResult step(const Batch<T>& batch, const Run& run, std::span<const double> task_weights);
  // As step(), but for each task apart, by loss; penalties and embedding tables are left out.
  // PlanOptions::differentiated chooses parameters, or the values to stop at. A model of one phase under
  // PlanOptions::keeps_values runs forward once, others once for every task.
  std::vector<TaskGradient<T>> task_gradients(const Batch<T>& batch, const Run& run);

  // Arena gradient and gradients of big tables of the last step().
  Aligned<T>& gradients();
  std::vector<TableGradient<T>>& table_gradients();
  // Values of outputs and watched nodes of the last run; Static values are one row.
  ConstRows<T> value(int node) const;
  ConstRows<T> gradient(int node) const;

  // Bytes of tiles x workers plus whole-batch buffers, at their peak so far.
  int64_t activation_bytes() const;

 private:
  class Executor;
  std::unique_ptr<Plan> plan_;
  std::unique_ptr<Executor> executor_;
};

extern template class Program<float>;
extern template class Program<double>;

}  // namespace gatewise

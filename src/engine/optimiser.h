// The update of all parameters from one step's gradients: one pass over the arena, and touched rows of big
// tables.
#pragma once

#include <memory>

#include "engine/program.h"
#include "kernels/optimisers.h"

namespace gatewise {

struct OptimiserOptions {
  std::string kind = "adam";
  double rate = 1e-3;
  double momentum = 0;
  bool nesterov = false;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  double clip_norm = 0;
  std::string tables = "lazy";
  void declare(OptionSet& set);
};

// One array of optimiser state, for checkpoints.
template <class T>
struct StateArray {
  std::string name;
  T* data;
  int64_t size;
};

template <class T>
class Optimiser {
 public:
  Optimiser(Store<T>& store, Pool& pool, OptimiserOptions options);

  // Applies the gradients of the program's last step at learning rate `rate`; returns the norm of all
  // gradients before clipping (0 when clipping is off).
  double apply(Program<T>& program, double rate);

  int64_t steps() const { return step_; }
  void set_steps(int64_t steps) { step_ = steps; }
  const OptimiserOptions& options() const { return options_; }
  std::vector<StateArray<T>> state();

 private:
  void apply_arena(const T* gradients, double rate, T scale);
  void apply_table(const TableGradient<T>& gradient, double rate, T scale);

  Store<T>* store_;
  Pool* pool_;
  OptimiserOptions options_;
  int64_t step_ = 0;
  // First and second moments of the arena (momentum and sums for the others), empty where unused.
  Aligned<T> first_, second_;
  // The same for all big tables; row-wise second moments have one value a row, and `second_of_place_` is
  // where those of each place begin.
  Aligned<T> table_first_, table_second_;
  std::vector<int64_t> second_of_place_;
};

extern template class Optimiser<float>;
extern template class Optimiser<double>;

}  // namespace gatewise
